"""A small network in place of Inception-2015."""

from pathlib import Path

import torch
from torch import Tensor, nn

from monetize.scoring.inception import SIDE, WIDTH


class TinyInception(nn.Module):
    """Random features, as many as Inception has, that differ between images."""

    def __init__(self, width: int, *, nan_on_white: bool = False) -> None:
        super().__init__()
        self.nan_on_white = nan_on_white
        self.layer = nn.Linear(3 * 16 * 16, width)

    def forward(self, pixels: Tensor) -> Tensor:
        small = nn.functional.adaptive_avg_pool2d(pixels, (16, 16))
        features = torch.relu(self.layer(small.flatten(1)))
        if self.nan_on_white:
            is_white = pixels.flatten(1).amin(1, keepdim=True) > 0.99
            features = torch.where(is_white, torch.nan, features)
        return features


def make_tiny_inception(file: Path, width: int = WIDTH, *, nan_on_white: bool = False) -> Path:
    """Save it as TorchScript; the same features every time."""
    torch.manual_seed(0)
    example = torch.zeros(2, 3, SIDE, SIDE)
    network = TinyInception(width, nan_on_white=nan_on_white)
    torch.jit.trace(network, example).save(str(file))  # type: ignore[no-untyped-call]
    return file
