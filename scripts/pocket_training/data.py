"""Photos, captions and paintings as tensors, and which of them are held out of training."""

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from monetize.settings import RunSettings

STYLE = f" {RunSettings.style}"
LEARNED_FROM = 5  # captions that have a word
HELD_OUT_SHARE = 10  # one name in ten
SUFFIXES = {".jpg", ".jpeg", ".png"}


@dataclass(frozen=True)
class Photo:
    """A photo and its caption."""

    path: Path
    caption: str


def is_held_out(name: str) -> bool:
    """Whether a photo is held out for evaluation: a fixed tenth, by the hash of its file name."""
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:8], "big") % HELD_OUT_SHARE == 0


def read_photos(folder: Path, captions: Path) -> tuple[list[Photo], list[Photo]]:
    """The photos to train on and those held out, each in the order of their hashes.

    Raises ValueError if the captions name a photo that is not in the folder.
    """
    with captions.open(encoding="utf-8", newline="") as file:
        rows = [(row["photo"], row["caption"].strip()) for row in csv.DictReader(file)]
    absent = [name for name, _ in rows if not (folder / name).is_file()]
    if absent:
        raise ValueError(f"{captions} names {absent[0]}, which is not in {folder}")
    rows.sort(key=lambda row: hashlib.sha256(row[0].encode()).digest())
    train = [Photo(folder / name, text) for name, text in rows if not is_held_out(name)]
    held_out = [Photo(folder / name, text) for name, text in rows if is_held_out(name)]
    return train, held_out


def list_pictures(folder: Path) -> list[Path]:
    """The picture files of a folder by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def frequent_words(captions: Iterable[str]) -> list[str]:
    """The words that a painter can learn from captions, with those of the style phrase."""
    counts = Counter(word for caption in captions for word in re.findall(r"[a-z']+", caption))
    learned = {word for word, count in counts.items() if count >= LEARNED_FROM}
    return sorted(learned | set(STYLE.split()))


def load_pictures(paths: Iterable[Path], size: int) -> Tensor:
    """Pictures as uint8 of shape (count, 3, size, size), cropped to the center and resized."""
    arrays = []
    for path in paths:
        with Image.open(path) as image:
            square = ImageOps.fit(image.convert("RGB"), (size, size), Image.Resampling.LANCZOS)
        arrays.append(np.asarray(square))
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()


def to_unit(pixels: Tensor) -> Tensor:
    """Bytes → floats in [-1, 1]."""
    return pixels.float().div_(127.5).sub_(1)


def to_bytes(pixels: Tensor) -> Tensor:
    """Floats in [-1, 1] → bytes, clamped."""
    return pixels.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)


def sheet(rows: Sequence[Tensor]) -> Image.Image:
    """A contact sheet of rows of equally large pictures, each (count, 3, height, width) bytes."""
    lines = [torch.cat(list(row), dim=2) for row in rows]
    width = max(line.shape[2] for line in lines)
    padded = [torch.nn.functional.pad(line, (0, width - line.shape[2])) for line in lines]
    return Image.fromarray(torch.cat(padded, dim=1).permute(1, 2, 0).cpu().numpy())
