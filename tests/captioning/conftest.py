"""Tiny captioners that read a prompt."""

from pathlib import Path

import pytest
import torch
from make_tiny_captioners import MAKERS


@pytest.fixture(scope="session")
def image_text(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of a tiny checkpoint of each kind."""
    folder = tmp_path_factory.mktemp("image-text")
    for name, make in MAKERS.items():
        torch.manual_seed(0)
        make(folder / name)
    return {name: folder / name for name in MAKERS}
