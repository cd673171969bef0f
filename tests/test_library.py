"""The library interface: quiet, lazy, and what its files hold."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import BUNDLED_PHOTOS
from PIL import Image

import monetize

USE = """
from monetize import Captioner, Painter
painter = Painter.from_pretrained("pocket", device="cpu", num_inference_steps=2)
painter("a lake and a tree", weight="tree=-1", seed=7).save("a.png")
Captioner.from_pretrained("pocket", device="cpu")(PHOTO)
from transformers.utils import logging
assert logging.is_progress_bar_enabled(), "the caller's own use of the libraries is as before"
"""


def test_it_prints_nothing_and_writes_settings_into_the_file(tmp_path: Path) -> None:
    code = f"PHOTO = {str(BUNDLED_PHOTOS / 'sunset.jpg')!r}\n{USE}"
    # Commands in other tests set these for their own process.
    quiet = ("VERBOSITY", "PROGRESS_BARS")
    loud = {k: v for k, v in os.environ.items() if not any(name in k for name in quiet)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=loud, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with Image.open(tmp_path / "a.png") as image:
        text = image.info["parameters"]
    assert text.startswith("a lake and a tree\nSteps: 2, ")
    assert "Token weights: tree=-1" in text


def test_importing_it_does_not_import_torch() -> None:
    code = "import sys, monetize; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Sculptor'"):
        _ = monetize.Sculptor
