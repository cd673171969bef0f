"""The pictures of a sweep on one labeled sheet."""

from collections.abc import Sequence

from PIL import Image

from monetize.prompts.sweep import Grid, Step, steps_of
from monetize.prompts.weights import format_number
from monetize.sheets.layout import Cell, in_lines, readable, sheet

LARGEST_CELL = 512  # pixels


def draw(grid: Grid, pictures: Sequence[Image.Image]) -> Image.Image:
    """Lay out a grid's pictures: the first sweep in columns, the second in rows.

    With a single sweep each picture has its weight or seed beneath it.
    """
    common = [] if grid.sweeps_seeds else [label(grid.seed)]
    if grid.fixed:
        common += map(label, grid.fixed)
    title = "\n".join([grid.text, ", ".join(common)])
    shown = [readable(picture, LARGEST_CELL) for picture in pictures]
    columns, *rows = map(steps_of, grid.sweeps)
    if not rows:
        cells = [
            Cell((picture,), label(step)) for picture, step in zip(shown, columns, strict=True)
        ]
        return sheet(in_lines(cells), title=title)
    width = len(columns)
    return sheet(
        [
            [Cell((picture,)) for picture in shown[start : start + width]]
            for start in range(0, len(shown), width)
        ],
        title=title,
        columns=[label(step) for step in columns],
        rows=[label(step) for step in rows[0]],
    )


def label(step: Step) -> str:
    """A weight or a seed as the sheets write it: pine = -1, seed 7."""
    if isinstance(step, int):
        return f"seed {step}"
    return f"{step.phrase} = {format_number(step.value)}"
