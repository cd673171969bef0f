"""The sheet of a painting and its edited version."""

from PIL import Image

from monetize.painting.painting import Painting
from monetize.painting.request import PaintRequest
from monetize.prompts.prompt import Prompt
from monetize.prompts.weights import Weight
from monetize.settings import PaintSettings
from monetize.sheets import edit_sheet


def painting(color: str, *weights: Weight) -> Painting:
    request = PaintRequest(Prompt("a pine tree", weights), seed=7, input_ids=())
    return Painting(Image.new("RGB", (256, 256), color), request, PaintSettings(), "")


def test_the_base_is_left_of_the_edited_painting() -> None:
    sheet = edit_sheet.draw(painting("red"), painting("blue"))
    left, right = (sheet.getpixel((x, 150)) for x in (100, 400))
    assert (left, right) == ((255, 0, 0), (0, 0, 255))


def test_weights_are_written_below_the_prompt() -> None:
    plain = edit_sheet.draw(painting("red"), painting("blue"))
    weighted = edit_sheet.draw(painting("red"), painting("blue", Weight("pine", -1)))
    assert weighted.height > plain.height
