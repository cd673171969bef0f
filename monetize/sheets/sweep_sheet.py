"""The pictures of a sweep on one labeled sheet."""

from collections.abc import Sequence

from PIL import Image

from monetize.prompts.sweep import Grid
from monetize.prompts.weights import Weight, format_number
from monetize.sheets.layout import Cell, in_lines, readable, sheet

LARGEST_CELL = 512  # pixels


def draw(grid: Grid, pictures: Sequence[Image.Image], seed: int) -> Image.Image:
    """Lay out a grid's pictures: the first sweep in columns, the second in rows.

    With a single sweep each picture has its weight beneath it.
    """
    title = f"{grid.text}\nseed {seed}"
    if grid.fixed:
        title += f", weights {', '.join(map(label, grid.fixed))}"
    shown = [readable(picture, LARGEST_CELL) for picture in pictures]
    columns, *rows = (sweep.weights for sweep in grid.sweeps)
    if not rows:
        cells = [
            Cell((picture,), label(weight)) for picture, weight in zip(shown, columns, strict=True)
        ]
        return sheet(in_lines(cells), title=title)
    width = len(columns)
    return sheet(
        [
            [Cell((picture,)) for picture in shown[start : start + width]]
            for start in range(0, len(shown), width)
        ],
        title=title,
        columns=[label(weight) for weight in columns],
        rows=[label(weight) for weight in rows[0]],
    )


def label(weight: Weight) -> str:
    """A weight as the sheets write it: pine = -1."""
    return f"{weight.phrase} = {format_number(weight.value)}"
