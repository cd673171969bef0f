import torch
from PIL import Image

from monetize.sheets.overlay import overlay


def test_colors_show_the_sign_and_an_empty_map_shows_nothing() -> None:
    picture = Image.new("RGB", (40, 20), "gray")
    heat = torch.tensor([[1.0, 0.0, -1.0]])
    laid = overlay(picture, heat, 1)
    assert laid.size == picture.size
    left, middle, right = (laid.getpixel((x, 10)) for x in (2, 20, 37))
    assert isinstance(left, tuple) and isinstance(right, tuple) and isinstance(middle, tuple)
    assert left[0] > 2 * left[2]
    assert right[2] > 2 * right[0]
    nothing = overlay(picture, torch.zeros(2, 2), 0)
    [(count, gray)] = nothing.getcolors() or []
    assert isinstance(gray, tuple)
    assert (count, len(set(gray))) == (800, 1)
    assert max(abs(one - other) for one, other in zip(middle, gray, strict=True)) <= 2
