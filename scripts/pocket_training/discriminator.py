"""The discriminator of real and generated paintings: small heads on a pretrained network.

Sauer et al., "Projected GANs Converge Faster" (NeurIPS 2021): the network is frozen, and its maps
are mixed by random weights, so that the heads cannot focus on a few of its channels.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from monetize.captioning.efficientnet_lite import Trunk
from pocket_training.backbone import MEAN, SCALE

WIDTH = 64  # channels of each mixed map
CHANNELS = (16, 24, 40, 112, 320)  # of the maps of EfficientNet-lite0


class Discriminator(nn.Module):
    """Scores of pictures in [-1, 1] at five scales: high for real paintings, low for generated."""

    def __init__(self, trunk: Trunk) -> None:
        super().__init__()
        self.trunk = trunk.requires_grad_(False).eval()
        self.mixes = nn.ModuleList(nn.Conv2d(channels, WIDTH, 1) for channels in CHANNELS)
        self.mixes.requires_grad_(False)
        self.heads = nn.ModuleList(_head(stride=2 if i < 3 else 1) for i in range(len(CHANNELS)))

    def see(self, pictures: Tensor) -> list[Tensor]:
        """The mixed maps of pictures (count, 3, height, width)."""
        pixel_values = ((pictures + 1) / 2 - MEAN) / SCALE
        maps = self.trunk.maps(pixel_values.contiguous(memory_format=torch.channels_last))
        return [mix(each) for mix, each in zip(self.mixes, maps, strict=True)]

    def judge(self, maps: list[Tensor]) -> list[Tensor]:
        """Scores of every place of the maps."""
        return [head(each).float() for head, each in zip(self.heads, maps, strict=True)]

    def persuaded(self, maps: list[Tensor]) -> Tensor:
        """The decoder's loss: how little the maps of its pictures pass for those of paintings.

        Its gradient reaches the maps, not the heads.
        """
        self.heads.requires_grad_(False)
        losses = [-score.mean() for score in self.judge(maps)]
        self.heads.requires_grad_(True)
        return torch.stack(losses).mean()

    def mistaken(self, paintings: list[Tensor], painted: list[Tensor]) -> Tensor:
        """The heads' own loss, by hinge; its gradient reaches the heads only."""
        losses = [
            functional.relu(1 - high).mean() + functional.relu(1 + low).mean()
            for high, low in zip(
                self.judge([each.detach() for each in paintings]),
                self.judge([each.detach() for each in painted]),
                strict=True,
            )
        ]
        return torch.stack(losses).mean()


def _head(stride: int) -> nn.Sequential:
    return nn.Sequential(
        spectral_norm(nn.Conv2d(WIDTH, WIDTH, 3, stride, padding=1)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv2d(WIDTH, WIDTH, 3, padding=1)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv2d(WIDTH, 1, 1)),
    )
