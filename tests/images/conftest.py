"""Reference paintings for the tests of palettes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def paintings(tmp_path: Path) -> Path:
    """Three nearly flat references: reddish, greenish, bluish."""
    folder = tmp_path / "paintings"
    folder.mkdir()
    random = np.random.default_rng(0)
    for channel, name in enumerate("rgb"):
        pixels = random.integers(60, 120, (32, 32, 3))
        pixels[..., channel] += 100
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{name}.png")
    return folder
