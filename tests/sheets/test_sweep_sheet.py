"""The sheet of a sweep."""

import pytest
from PIL import Image

from monetize.prompts.sweep import Grid, parse_sweep
from monetize.prompts.weights import Weight
from monetize.sheets import sweep_sheet


def test_the_title_has_the_prompt_the_seed_and_the_fixed_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    titles = []
    monkeypatch.setattr(sweep_sheet, "sheet", lambda *_, title, **__: titles.append(title))
    fixed = (Weight("red", 2), Weight("sun", 0.5))
    for sweeps in (["pine=0:1:1"], ["pine=0:1:1", "seed=1:2"]):
        grid = Grid("a pine and a red sun", fixed, tuple(map(parse_sweep, sweeps)), 7)
        sweep_sheet.draw(grid, [Image.new("RGB", (8, 8))] * len(grid.varied))
    assert titles == [
        "a pine and a red sun\nseed 7, red = 2, sun = 0.5",
        "a pine and a red sun\nred = 2, sun = 0.5",
    ]
