"""Tiny checkpoints in the real layout, photos, and a runner of the command line; no network."""

import os
import tempfile

# Read when huggingface_hub is imported, so set before anything else is.
os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="monetize-tests-hf-")
os.environ["HF_HUB_OFFLINE"] = "1"
# Tests run in two processes, whose threads would wait for each other's; tiny models want but one.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import gc
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result
from helpers import Run, Tiny
from make_tiny_checkpoints import make_captioner, make_painter
from PIL import Image

from monetize.captioning.captioner import Captioner
from monetize.checkpoints.layout import PAINTER
from monetize.checkpoints.resolve import resolve
from monetize.checkpoints.tokenizer import load_tokenizer
from monetize.cli import main
from monetize.painting.painter import Painter

# What the libraries made when they were imported stays; looking through it again and again would
# take a fifth of the tests' time.
gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _remove_hub_cache() -> Iterator[None]:
    yield
    shutil.rmtree(os.environ["HF_HOME"], ignore_errors=True)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    folder = tmp_path_factory.mktemp("tiny")
    make_captioner(folder / "captioner")
    make_painter(folder / "painter")
    return Tiny(folder / "captioner", folder / "painter")


@pytest.fixture
def tiny_copy(tiny: Tiny, tmp_path: Path) -> Tiny:
    """Checkpoints of one's own, to damage."""
    folder = tmp_path / "checkpoints"
    shutil.copytree(tiny.captioner, folder / "captioner")
    shutil.copytree(tiny.painter, folder / "painter")
    return Tiny(folder / "captioner", folder / "painter")


@pytest.fixture(scope="session")
def clip_tokenizer(tiny: Tiny) -> object:
    return load_tokenizer(resolve(str(tiny.painter), PAINTER))


@pytest.fixture
def painter_with(tiny: Tiny) -> Callable[..., Painter]:
    """Load the tiny painter with settings given by name."""

    def load(**settings: object) -> Painter:
        options: dict[str, Any] = {"num_inference_steps": 4, **settings}
        return Painter.from_pretrained(str(tiny.painter), device="cpu", **options)

    return load


@pytest.fixture
def captioner(tiny: Tiny) -> Captioner:
    return Captioner.from_pretrained(str(tiny.captioner), device="cpu")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of six small photos, each unlike the others."""
    folder = tmp_path / "photos"
    folder.mkdir()
    generator = torch.Generator().manual_seed(0)
    for i in range(6):
        pixels = torch.randint(0, 256, (8, 8, 3), dtype=torch.uint8, generator=generator)
        image = Image.fromarray(pixels.numpy()).resize((48, 40), Image.Resampling.BICUBIC)
        image.save(folder / f"photo{i}.jpg")
    return folder


@pytest.fixture
def cli() -> Run:
    """Run `monetize` in this process; an unexpected exception fails the test."""

    def run(*args: object, stdin: str | None = None) -> Result:
        runner = CliRunner()
        return runner.invoke(main, [str(arg) for arg in args], input=stdin, catch_exceptions=False)

    return run


@pytest.fixture
def run_job(cli: Run, tiny: Tiny) -> Run:
    """Run `monetize run` with the tiny checkpoints and few steps.

    Paintings are made one at a time, as with large checkpoints on a CPU, unless a test says else.
    """

    def run(*args: object) -> Result:
        return cli("run", "--batch-size", 1, *args, *tiny.flags, "--steps", 2)

    return run
