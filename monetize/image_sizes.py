"""Sizes of images as options take them: 512, 512x384, or fit for that of the photo."""

import math
import re
from dataclasses import dataclass

from monetize.errors import UsageError

FIT = "fit"
FORM = "a whole number, WIDTHxHEIGHT such as 512x384, or fit"
Pixels = tuple[int, int]
"""Width and height."""


def parse_size(text: str) -> int | str:
    """Parse a size: a number for a square, `512x384`, or `fit`; raises ValueError."""
    text = text.strip().lower()
    if text == FIT:
        return text
    if re.fullmatch(r"[+-]?[0-9]{1,20}", text):
        return int(text)
    if not re.fullmatch(r"[0-9]{1,20}[x×][0-9]{1,20}", text):
        raise ValueError(f"{text!r} is not a size: write {FORM}")
    width, height = map(int, re.split("[x×]", text))
    return width if width == height else f"{width}x{height}"


def pixels_of(size: int | str) -> Pixels:
    """Return the width and height of a size that is not `fit`."""
    if isinstance(size, int):
        return size, size
    width, height = map(int, size.split("x"))
    return width, height


@dataclass(frozen=True)
class NativeSize:
    """The side of the square that a checkpoint paints by default, and the step between its sizes.

    Both are in pixels.
    """

    side: int
    multiple: int

    def fitted(self, photo: Pixels) -> Pixels:
        """Return a size in the shape of a photo, with about as many pixels as the square.

        Width and height are multiples of `multiple`, at least twice as large.
        """
        ratio = math.sqrt(photo[0] / photo[1])
        width, height = (
            max(2, round(length / self.multiple)) * self.multiple
            for length in (self.side * ratio, self.side / ratio)
        )
        return width, height


def painting_size(size: int | str, native: NativeSize, photo: Pixels | None) -> Pixels:
    """Return the width and height to paint at, for `fit` in the shape of a photo of these pixels.

    Raises UsageError if there is no photo to fit.
    """
    if size != FIT:
        return pixels_of(size)
    if photo is None:
        raise UsageError("--size fit takes the shape of a photo: give one with --init-image")
    return native.fitted(photo)


def shown(size: Pixels) -> str:
    """Write a size for a message."""
    return f"{size[0]} × {size[1]}"
