"""Lay out pictures and text on one labeled sheet, with every word readable in full."""

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

PAPER, INK = "white", "black"
GAP, SEAM = 8, 2  # pixels around cells, and between the pictures in a cell
TEXT_SIZE, MIN_TEXT_SIZE = 16, 9  # pixels
MAX_WIDTH = 1600  # pixels of a line of cells, to fit a screen
MAX_ROW_LABEL = 180  # pixels
MIN_CELL, MIN_TITLE = 96, 480  # pixels
MIN_SIDE = 256  # pixels; smaller pictures are enlarged


@dataclass(frozen=True)
class Cell:
    """Pictures side by side with a caption below."""

    pictures: tuple[Image.Image, ...]
    caption: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures together, in pixels; wide enough for a caption."""
        width = sum(picture.width for picture in self.pictures) + SEAM * (len(self.pictures) - 1)
        return max(width, MIN_CELL), max(picture.height for picture in self.pictures)


@dataclass(frozen=True)
class _Text:
    """Text broken into lines, in a font size that fits its place."""

    font: Font
    lines: tuple[str, ...]

    @property
    def line_height(self) -> int:
        return math.ceil(self.font.getbbox("Agj|")[3]) + 2

    @property
    def height(self) -> int:
        return self.line_height * len(self.lines)

    def draw(self, pen: ImageDraw.ImageDraw, left: int, top: int) -> None:
        for i, line in enumerate(self.lines):
            pen.text((left, top + i * self.line_height), line, INK, self.font)


def sheet(
    lines: Sequence[Sequence[Cell]],
    *,
    title: str = "",
    columns: Sequence[str] = (),
    rows: Sequence[str] = (),
    text_size: int = TEXT_SIZE,
) -> Image.Image:
    """Lay out lines of cells as an RGB image, with a title above and labels for columns and rows.

    Text that is too wide is broken into lines, then set smaller, down to 9 pixels, and only then
    are words broken; no text is left out. Pictures are pasted unchanged.
    """
    across = max(len(line) for line in lines)
    widths = [max(line[i].size[0] for line in lines if i < len(line)) for i in range(across)]
    marks = [_fit(label, MAX_ROW_LABEL, text_size) for label in rows]
    margin = max((_width(mark) + GAP for mark in marks), default=0)
    lefts = [GAP + margin + sum(widths[:i]) + GAP * i for i in range(across)]
    width = lefts[-1] + widths[-1] + GAP
    if title:
        width = max(width, MIN_TITLE)
    heading = _fit(title, width - 2 * GAP, text_size)
    heads = [_fit(label, widths[i], text_size) for i, label in enumerate(columns)]
    captions = [
        [_fit(cell.caption, widths[i], text_size) for i, cell in enumerate(line)] for line in lines
    ]

    top = GAP
    body_top = top + _block(heading)
    tops = [body_top + max(map(_block, heads), default=0)]
    for i, line in enumerate(lines):
        picture = max(cell.size[1] for cell in line)
        mark = marks[i].height if marks else 0
        text = max(_block(caption) for caption in captions[i])
        tops.append(tops[-1] + max(picture + text, mark) + GAP)

    paper = Image.new("RGB", (width, tops[-1]), PAPER)
    pen = ImageDraw.Draw(paper)
    heading.draw(pen, GAP, top)
    for head, left in zip(heads, lefts, strict=False):
        head.draw(pen, left, body_top)
    for i, line in enumerate(lines):
        if marks:
            marks[i].draw(pen, GAP, tops[i])
        height = max(cell.size[1] for cell in line)
        for cell, caption, left in zip(line, captions[i], lefts, strict=False):
            x = left
            for each in cell.pictures:
                paper.paste(each, (x, tops[i]))
                x += each.width + SEAM
            caption.draw(pen, left, tops[i] + height + SEAM)
    return paper


def in_lines(cells: Sequence[Cell]) -> list[Sequence[Cell]]:
    """Split cells into lines of about equal length that fit the width of a screen."""
    widest = max(cell.size[0] for cell in cells)
    most = max(1, (MAX_WIDTH - GAP) // (widest + GAP))
    across = math.ceil(len(cells) / math.ceil(len(cells) / most))
    return [cells[start : start + across] for start in range(0, len(cells), across)]


def readable(picture: Image.Image, largest_side: int) -> Image.Image:
    """Resize a picture for a sheet.

    A small picture is enlarged by the smallest whole factor that makes its longer side at least
    256 pixels, which keeps its pixels visible; a picture larger than `largest_side` is reduced.
    """
    side = max(picture.size)
    if side > largest_side:
        smaller = (max(1, round(each * largest_side / side)) for each in picture.size)
        return picture.resize((*smaller,), Image.Resampling.LANCZOS)  # type: ignore[arg-type]
    factor = math.ceil(MIN_SIDE / side)
    larger = (picture.width * factor, picture.height * factor)
    return picture.resize(larger, Image.Resampling.NEAREST)


def _block(text: _Text) -> int:
    """Height of a text including the gap around it, in pixels; 0 for no text."""
    return text.height + SEAM + 2 if text.lines else 0


def _width(text: _Text) -> int:
    return math.ceil(max((text.font.getlength(line) for line in text.lines), default=0))


def _fit(text: str, width: int, size: int) -> _Text:
    """Break text into lines of at most `width` pixels, in the largest font that breaks no word."""
    text = "".join(_drawable(char) for char in text)
    words = text.split()
    while size > MIN_TEXT_SIZE and any(_font(size).getlength(word) > width for word in words):
        size -= 1
    font = _font(size)
    lines = [line for part in text.splitlines() for line in _wrap(part.split(), font, width)]
    return _Text(font, tuple(lines))


def _wrap(words: Iterable[str], font: Font, width: int) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
            continue
        lines.append("")
        for char in word:
            if lines[-1] and font.getlength(lines[-1] + char) > width:
                lines.append("")
            lines[-1] += char
    return lines


@lru_cache
def _font(size: int) -> Font:
    return ImageFont.load_default(size)


@lru_cache
def _drawable(char: str) -> str:
    """Replace a character that is not in Pillow's font: é by e, other letters by escapes."""
    if char.isspace() or _has(char):
        return char
    plain = "".join(c for c in unicodedata.normalize("NFKD", char) if not unicodedata.combining(c))
    if plain and all(map(_has, plain)):
        return plain
    return "" if unicodedata.combining(char) else char.encode("unicode_escape").decode()


def _has(char: str) -> bool:
    font = _font(TEXT_SIZE)
    return bytes(font.getmask(char)) != bytes(font.getmask("\uffff"))
