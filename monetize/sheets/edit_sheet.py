"""A painting and its edited version → a labeled sheet."""

from PIL import Image

from monetize.painting.painting import Painting
from monetize.sheets.layout import Cell, readable, sheet
from monetize.sheets.sweep_sheet import label

LARGEST_CELL = 512  # pixels


def draw(base: Painting, edited: Painting) -> Image.Image:
    """Lay out the base's painting and the edited one, each above its prompt and weights."""
    return sheet([[_cell(base), _cell(edited)]], title=f"seed {edited.request.seed}")


def _cell(painting: Painting) -> Cell:
    prompt = painting.request.prompt
    weights = ", ".join(map(label, prompt.weights))
    caption = f"{prompt.written}\n{weights}" if weights else prompt.written
    return Cell((readable(painting.image, LARGEST_CELL),), caption)
