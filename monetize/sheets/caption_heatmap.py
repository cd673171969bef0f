"""A photo and where the captioner looked for each word → a labeled sheet."""

from PIL import Image

from monetize.captioning.captioner import CaptionAttention
from monetize.messages import printable
from monetize.sheets.layout import Cell, in_lines, readable, sheet
from monetize.sheets.overlay import largest, overlay, percent

LARGEST_CELL = 320  # pixels
LEGEND = (
    "Where the captioner looked for each word: attention, averaged over layers and heads. "
    "Color grows with the square of the attention; each map is reddest at its maximum, printed "
    "below it as the share of one patch."
)


def draw(photo: Image.Image, name: str, attention: CaptionAttention) -> Image.Image:
    """Draw the photo, then each word's map over it, as in Xu et al., "Show, Attend and Tell".

    The model saw the photo squashed into a square, so a map is stretched to the photo's own shape.
    """
    picture = readable(photo, LARGEST_CELL)
    cells = [Cell((picture,), "the photo")]
    for word, heat in attention.words:
        full = largest(heat)
        cells.append(Cell((overlay(picture, heat, full),), f"{word}\nmaximum {percent(full)}"))
    return sheet(in_lines(cells), title=f"{printable(name)}\n{attention.caption}\n{LEGEND}")
