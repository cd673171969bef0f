"""Pictures and words → one labelled sheet, on which every word can be read in full."""

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

PAPER, INK = "white", "black"
GAP, SEAM = 8, 2  # pixels around cells, and between the pictures of one
TEXT_SIZE, SMALLEST_TEXT = 16, 9  # pixels
WIDEST = 1600  # pixels that cells fill before they go on in the next line, to fit a screen
WIDEST_ROW_LABEL = 180  # pixels
NARROWEST_CELL, NARROWEST_TITLE = 96, 480  # pixels
SMALLEST_SIDE = 256  # pixels; smaller pictures are enlarged


@dataclass(frozen=True)
class Cell:
    """Pictures side by side, and the words beneath them."""

    pictures: tuple[Image.Image, ...]
    caption: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures together, in pixels; wide enough for some words."""
        width = sum(picture.width for picture in self.pictures) + SEAM * (len(self.pictures) - 1)
        return max(width, NARROWEST_CELL), max(picture.height for picture in self.pictures)


@dataclass(frozen=True)
class _Text:
    """Words broken into lines, in a font in which they fit their place."""

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
    """Lay cells out in lines, RGB, with a title above and labels of the columns and rows.

    A text that is too wide for its place is broken into lines, and set smaller, down to 9 pixels,
    before a word is broken; nothing is left out. Pictures are pasted as they are.
    """
    across = max(len(line) for line in lines)
    widths = [max(line[i].size[0] for line in lines if i < len(line)) for i in range(across)]
    marks = [_fit(label, WIDEST_ROW_LABEL, text_size) for label in rows]
    margin = max((_width(mark) + GAP for mark in marks), default=0)
    lefts = [GAP + margin + sum(widths[:i]) + GAP * i for i in range(across)]
    width = lefts[-1] + widths[-1] + GAP
    if title:
        width = max(width, NARROWEST_TITLE)
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
    """Cut cells into lines about equally long, each as wide as a screen at most."""
    widest = max(cell.size[0] for cell in cells)
    most = max(1, (WIDEST - GAP) // (widest + GAP))
    across = math.ceil(len(cells) / math.ceil(len(cells) / most))
    return [cells[start : start + across] for start in range(0, len(cells), across)]


def readable(picture: Image.Image, largest_side: int) -> Image.Image:
    """Bring a picture to a size for a sheet.

    A small one is enlarged by the least whole number that makes its longer side 256 pixels or
    more, so that its own pixels are seen; one with a side above the largest is made smaller.
    """
    side = max(picture.size)
    if side > largest_side:
        smaller = (max(1, round(each * largest_side / side)) for each in picture.size)
        return picture.resize((*smaller,), Image.Resampling.LANCZOS)  # type: ignore[arg-type]
    factor = math.ceil(SMALLEST_SIDE / side)
    larger = (picture.width * factor, picture.height * factor)
    return picture.resize(larger, Image.Resampling.NEAREST)


def _block(text: _Text) -> int:
    """Pixels of a text and of the gap that sets it off; none where there is no text."""
    return text.height + SEAM + 2 if text.lines else 0


def _width(text: _Text) -> int:
    return math.ceil(max((text.font.getlength(line) for line in text.lines), default=0))


def _fit(text: str, width: int, size: int) -> _Text:
    """Break a text into lines of at most width pixels, in the largest font that breaks no word."""
    text = "".join(_drawable(char) for char in text)
    words = text.split()
    while size > SMALLEST_TEXT and any(_font(size).getlength(word) > width for word in words):
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
    """What stands for a character that Pillow's own font lacks: é is e, other letters escapes."""
    if char.isspace() or _has(char):
        return char
    plain = "".join(c for c in unicodedata.normalize("NFKD", char) if not unicodedata.combining(c))
    if plain and all(map(_has, plain)):
        return plain
    return "" if unicodedata.combining(char) else char.encode("unicode_escape").decode()


def _has(char: str) -> bool:
    font = _font(TEXT_SIZE)
    return bytes(font.getmask(char)) != bytes(font.getmask("\uffff"))
