"""What the tests share besides fixtures: runs of the command line, photos, a listener, types."""

import csv
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from click.testing import CliRunner, Result
from PIL import Image

from monetize.cli import main
from monetize.devices import Placement
from monetize.painting.denoiser import StepCallback
from monetize.painting.painter import Painter
from monetize.painting.painting import Painting
from monetize.painting.request import PaintRequest
from monetize.progress import Reporter
from monetize.prompts.prompt import Prompt
from monetize.settings import PaintSettings

Run = Callable[..., Result]
"""What the fixture `cli` returns: arguments of the command line → its result."""
Interrupt = Callable[[int], None]
"""What the fixture `interrupt_after` returns: the number of batches before Ctrl-C."""
CPU = Placement(torch.device("cpu"), torch.float32)
BUNDLED_PHOTOS = Path(__file__).parent / "photos"


@dataclass(frozen=True)
class Tiny:
    """The folders of the tiny checkpoints, and the flags that name them."""

    captioner: Path
    painter: Path

    @property
    def flags(self) -> list[str]:
        return ["--model", str(self.painter), "--captioner", str(self.captioner)]


@dataclass(frozen=True)
class FinishedJob:
    """A job that is done: its photos, its zip, and what its command printed."""

    photos: Path
    archive: Path
    result: Result

    def copy_to(self, archive: Path) -> None:
        """Copy the zip and its reports to files of this name."""
        for suffix in (".zip", ".csv", ".json"):
            shutil.copy(self.archive.with_suffix(suffix), archive.with_suffix(suffix))


class Listener(Reporter):
    """Keeps the messages that it receives."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.warnings: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def run_cli(*args: object, stdin: str | None = None) -> Result:
    """Run `monetize` in this process; an unexpected exception is raised."""
    arguments = [str(arg) for arg in args]
    return CliRunner().invoke(main, arguments, input=stdin, catch_exceptions=False)


def run_tiny_job(tiny: Tiny, *args: object) -> Result:
    """Run `monetize run` with the tiny checkpoints and few steps.

    Paintings are made one at a time, like large checkpoints on a CPU, unless the arguments differ.
    """
    return run_cli("run", "--batch-size", 1, *args, *tiny.flags, "--steps", 2)


def make_photos(folder: Path) -> Path:
    """Create a folder of six small photos, all different."""
    folder.mkdir()
    generator = torch.Generator().manual_seed(0)
    for i in range(6):
        pixels = torch.randint(0, 256, (8, 8, 3), dtype=torch.uint8, generator=generator)
        image = Image.fromarray(pixels.numpy()).resize((48, 40), Image.Resampling.BICUBIC)
        image.save(folder / f"photo{i}.jpg")
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return list(csv.DictReader(file))


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@contextmanager
def nobody() -> Iterator[None]:
    """Give up root's permission to read everything inside the block."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def open_to_others(path: Path) -> None:
    """Let everybody read path and everything below it, and reach it."""
    for folder in path.parents:
        if folder == Path(tempfile.gettempdir()).resolve():
            break
        folder.chmod(0o755)
    for each in (path, *path.rglob("*")):
        each.chmod(0o755)


def close_to_others(path: Path) -> None:
    """Remove every permission for path, but keep it reachable."""
    open_to_others(path)
    path.chmod(0o000)


def denoise(
    painter: Painter,
    prompts: Sequence[Prompt],
    seeds: Sequence[int],
    settings: PaintSettings | None = None,
) -> torch.Tensor:
    """The latents of prompts and seeds as one batch."""
    return painter.denoise(requests(painter, prompts, seeds), settings)


def paint(
    painter: Painter,
    prompts: Sequence[Prompt],
    seeds: Sequence[int],
    settings: PaintSettings | None = None,
    on_step: StepCallback | None = None,
) -> list[Painting]:
    """The paintings of prompts and seeds as one batch."""
    return painter.paint(requests(painter, prompts, seeds), settings, on_step)


def requests(
    painter: Painter, prompts: Sequence[Prompt], seeds: Sequence[int]
) -> list[PaintRequest]:
    return [painter.request(*each) for each in zip(prompts, seeds, strict=True)]
