"""Labeled sheets: every picture is there, no text is cut."""

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont

from monetize.sheets.layout import GAP, PAPER, Cell, in_lines, readable, sheet

Drawn = list[tuple[int, int, int, int, str]]


def square(side: int = 128, color: str = "red") -> Image.Image:
    return Image.new("RGB", (side, side), color)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    """Left, top, right and bottom of each text that is drawn, and the text."""
    boxes: Drawn = []
    draw = ImageDraw.ImageDraw.text

    def keeping(
        pen: ImageDraw.ImageDraw,
        place: tuple[int, int],
        text: str,
        ink: str,
        font: ImageFont.FreeTypeFont,
    ) -> None:
        left, top, right, bottom = map(int, pen.textbbox(place, text, font))
        boxes.append((left, top, right, bottom, text))
        draw(pen, place, text, ink, font)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", keeping)
    return boxes


LONG = "Donaudampfschifffahrtsgesellschaft " * 3 + "x" * 90


def test_every_word_is_drawn_on_the_paper_and_apart_from_the_others(drawn: Drawn) -> None:
    cells = [[Cell((square(),), f"{LONG}{i}{j}") for i in range(3)] for j in range(2)]
    made = sheet(cells, title=LONG, columns=["one", LONG, "three"], rows=[LONG, "two"])
    for left, top, right, bottom, _ in drawn:
        # Letters hang over their place by a pixel.
        assert left >= GAP - 1
        assert top >= GAP
        assert right <= made.width - GAP + 1
        assert bottom <= made.height
    for i, one in enumerate(drawn):
        for other in drawn[i + 1 :]:
            apart = one[2] <= other[0] or other[2] <= one[0]
            assert apart or one[3] <= other[1] or other[3] <= one[1], (one, other)
    text = "".join(each[4].replace(" ", "") for each in drawn)
    expected = (
        [LONG] * 3 + ["one", "three", "two"] + [f"{LONG}{i}{j}" for i in (0, 1) for j in "01"]
    )
    for each in expected:
        assert each.replace(" ", "") in text


def test_pictures_are_pasted_as_they_are_and_text_touches_none() -> None:
    colors = [["red", "lime"], ["blue", "yellow"]]
    lines = [[Cell((square(128, each),), "a label") for each in line] for line in colors]
    made = sheet(lines, title="a title", columns=["left", "right"], rows=["upper", "lower"])
    counts = {color: count for count, color in made.getcolors(2**16) or []}
    for color in ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)):
        assert counts[color] == 128 * 128


def test_a_narrow_picture_has_room_for_its_label(drawn: Drawn) -> None:
    sheet([[Cell((Image.new("RGB", (2, 300)),), "mountains")]])
    assert [each[4] for each in drawn] == ["mountains"]


def test_letters_that_the_font_does_not_have_are_replaced(drawn: Drawn) -> None:
    sheet([[Cell((square(256),), "café Über 木 tree")]])
    assert [each[4] for each in drawn] == ["cafe Uber \\u6728 tree"]


def test_a_label_that_is_empty_takes_no_room() -> None:
    assert sheet([[Cell((square(),))]]).size == (128 + 2 * GAP, 128 + 2 * GAP)


def test_cells_are_split_into_lines_of_similar_length() -> None:
    lines = in_lines([Cell((square(256),), str(i)) for i in range(8)])
    assert [len(line) for line in lines] == [4, 4]
    assert sheet(lines).width <= 1600
    assert [len(line) for line in in_lines([Cell((square(5000),))])] == [1]


def test_small_pictures_are_enlarged_by_whole_numbers_and_large_ones_made_smaller() -> None:
    noise = Image.effect_noise((100, 60), 50).convert("RGB")
    large = readable(noise, 512)
    assert large.size == (300, 180)
    assert not ImageChops.difference(
        large.resize((100, 60), Image.Resampling.NEAREST), noise
    ).getbbox()
    assert readable(noise.resize((300, 180)), 512).size == (300, 180)
    assert readable(noise.resize((1000, 600)), 512).size == (512, 307)


def test_the_paper_is_white() -> None:
    assert PAPER == "white"
    assert sheet([[Cell((square(),), "a")]]).getpixel((0, 0)) == (255, 255, 255)
