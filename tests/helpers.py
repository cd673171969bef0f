"""What the tests share beside fixtures: tiny checkpoints' folders, a listener, types."""

import csv
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from click.testing import Result

from monetize.devices import Placement
from monetize.painting.denoiser import StepCallback
from monetize.painting.painter import Painter
from monetize.painting.painting import Painting
from monetize.painting.request import PaintRequest
from monetize.progress import Reporter
from monetize.prompts.prompt import Prompt
from monetize.settings import PaintSettings

Run = Callable[..., Result]
"""What the fixture `cli` gives: arguments of the command line → its result."""
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


class Listener(Reporter):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.warnings: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)


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
    """Give up root's right to read everything for a while."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def open_to_others(path: Path) -> None:
    """Let everybody read what is below path, and reach it."""
    for folder in path.parents:
        if folder == Path(tempfile.gettempdir()).resolve():
            break
        folder.chmod(0o755)
    for each in (path, *path.rglob("*")):
        each.chmod(0o755)


def close_to_others(path: Path) -> None:
    """Take every right to path away, but not those to reach it."""
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
