"""Where each word acted in a painting, on a labeled sheet, before and after weights."""

from collections.abc import Mapping, Sequence

from PIL import Image
from torch import Tensor
from transformers import CLIPTokenizer

from monetize.painting.attention.recorder import of_words
from monetize.painting.painting import Painting
from monetize.prompts.tokens import weigh, word_positions
from monetize.prompts.weights import format_number
from monetize.sheets.layout import Cell, in_lines, readable, sheet
from monetize.sheets.overlay import largest, overlay, percent

LARGEST_CELL = 256  # pixels
WHAT = "Where each word acted: cross-attention averaged over heads, layers and steps."
ALONE = (
    "Color grows with the square of the attention; each map is reddest at its maximum, printed "
    "below it."
)
COMPARED = (
    "Left: without weights. Right: with {weights}. Weight x attention is shown: red adds, blue "
    "pushes away. Color grows with the square; both maps of a pair share a scale, up to the "
    "maximum printed below it."
)


def draw(
    tokenizer: CLIPTokenizer, painting: Painting, unweighted: Painting | None = None
) -> Image.Image:
    """Draw the painting, then each word's map over it; with `unweighted`, before and after.

    Words are in the order of the prompt; one past the limit of the text encoder has no map.
    """
    prompt, seed = painting.request.prompt, painting.request.seed
    positions = word_positions(tokenizer, prompt)
    shown = [each for each in (unweighted, painting) if each is not None]
    images = tuple(readable(each.image, LARGEST_CELL) for each in shown)
    maps = [_maps(each, positions) for each in shown]
    values = weigh(tokenizer, prompt).values
    cells = [Cell(images, "before | after" if unweighted else "the painting")]
    for word, places in positions.items():
        heats = [each[word] for each in maps]
        full = largest(*heats)
        weights = list(dict.fromkeys(format_number(values[i]) for i in places))
        weighted = "" if weights == ["1"] else f" = {', '.join(weights)}"
        overlays = tuple(
            overlay(image, heat, full) for image, heat in zip(images, heats, strict=True)
        )
        cells.append(Cell(overlays, f"{word}{weighted}\nmaximum {percent(full)}"))
    weights_text = ", ".join(prompt.weight_texts)
    legend = COMPARED.format(weights=weights_text) if unweighted else ALONE
    return sheet(in_lines(cells), title=f"{prompt.written}\nseed {seed}\n{WHAT} {legend}")


def _maps(painting: Painting, positions: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    assert painting.heat is not None  # it was recorded
    return of_words(painting.heat, positions)
