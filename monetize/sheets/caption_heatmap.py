"""A photo and where each word of its caption looked → a labelled sheet."""

from PIL import Image

from monetize.captioning.captioner import Look
from monetize.messages import printable
from monetize.sheets.layout import Cell, in_lines, readable, sheet
from monetize.sheets.overlay import largest, overlay, percent

LARGEST_CELL = 320  # pixels
LEGEND = (
    "Where each word looked: the decoder's attention to the photo, averaged over layers and heads. "
    "The colour grows with the square; each map is reddest at the maximum beneath it, the share of "
    "one patch."
)


def draw(photo: Image.Image, name: str, look: Look) -> Image.Image:
    """The photo, then each word's map over it, as in Xu et al., "Show, Attend and Tell".

    The model saw the photo squeezed into a square, so a map is stretched to the photo's own shape.
    """
    picture = readable(photo, LARGEST_CELL)
    cells = [Cell((picture,), "the photo")]
    for word, heat in look.words:
        full = largest(heat)
        cells.append(Cell((overlay(picture, heat, full),), f"{word}\nmaximum {percent(full)}"))
    return sheet(in_lines(cells), title=f"{printable(name)}\n{look.caption}\n{LEGEND}")
