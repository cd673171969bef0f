"""`monetize info`."""

import json
from pathlib import Path

from helpers import BUNDLED_PHOTOS, Run
from PIL import Image

from monetize.images.encoding import encode

TEXT = "a lake\nNegative prompt: people\nSteps: 5, Seed: 7, Version: monetize 0.1.0"


def test_prompt_and_settings_are_shown(cli: Run, tmp_path: Path) -> None:
    painting = tmp_path / "a.jpg"
    painting.write_bytes(encode(Image.new("RGB", (8, 8)), painting, TEXT))
    assert cli("info", painting).stdout.splitlines() == [
        "Prompt: a lake",
        "Negative prompt: people",
        "Steps: 5",
        "Seed: 7",
        "Version: monetize 0.1.0",
    ]
    assert json.loads(cli("info", painting, "--json").stdout) == {
        "prompt": "a lake",
        "negative_prompt": "people",
        "settings": {"Steps": "5", "Seed": "7", "Version": "monetize 0.1.0"},
    }


def test_a_photo_says_nothing(cli: Run) -> None:
    result = cli("info", BUNDLED_PHOTOS / "cat.jpg")
    assert result.exit_code == 1
    assert "cat.jpg does not say how it was painted" in result.stderr
