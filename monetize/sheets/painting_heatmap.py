"""A painting that tells where each word acted → a labelled sheet, before and after weights."""

from collections.abc import Mapping, Sequence

from PIL import Image
from torch import Tensor
from transformers import CLIPTokenizer

from monetize.painting.attention.recorder import of_words
from monetize.painting.painter import Painting
from monetize.prompts.prompt import Prompt
from monetize.prompts.tokens import weigh, word_positions
from monetize.prompts.weights import format_number
from monetize.sheets.layout import Cell, in_lines, readable, sheet
from monetize.sheets.overlay import largest, overlay, percent

LARGEST_CELL = 256  # pixels
WHAT = "Where each word acted: cross-attention averaged over heads, layers and steps."
ALONE = "The colour grows with the square; each map is reddest at the maximum beneath it."
COMPARED = (
    "Left without weights, right with {weights}; what acts is weight x attention: red adds, blue "
    "pushes away. The colour grows with the square; each pair has one scale, to the maximum "
    "beneath it."
)


def draw(
    tokenizer: CLIPTokenizer,
    prompt: Prompt,
    seed: int,
    painting: Painting,
    before: Painting | None = None,
) -> Image.Image:
    """The picture, then each word's map over it; with `before`, in pairs of before and after.

    Words are in the order of the prompt; one past the limit of the text encoder has no map.
    """
    positions = word_positions(tokenizer, prompt)
    shown = [each for each in (before, painting) if each is not None]
    pictures = tuple(readable(each.image, LARGEST_CELL) for each in shown)
    maps = [_maps(each, positions) for each in shown]
    values = weigh(tokenizer, prompt).values
    cells = [Cell(pictures, "before | after" if before else "the painting")]
    for word, places in positions.items():
        heats = [each[word] for each in maps]
        full = largest(*heats)
        weights = list(dict.fromkeys(format_number(values[i]) for i in places))
        weighted = "" if weights == ["1"] else f" = {', '.join(weights)}"
        overlays = tuple(
            overlay(picture, heat, full) for picture, heat in zip(pictures, heats, strict=True)
        )
        cells.append(Cell(overlays, f"{word}{weighted}\nmaximum {percent(full)}"))
    weights_text = ", ".join(str(weight) for weight in prompt.weights)
    legend = COMPARED.format(weights=weights_text) if before else ALONE
    return sheet(in_lines(cells), title=f"{prompt.text}\nseed {seed}\n{WHAT} {legend}")


def _maps(painting: Painting, positions: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    assert painting.heat is not None  # it was asked for
    return of_words(painting.heat, positions)
