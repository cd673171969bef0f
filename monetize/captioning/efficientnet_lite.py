"""EfficientNet-lite as a captioner's encoder: pixels → a vector for the image and one per place.

The network is that of Tan and Le, "EfficientNet" (ICML 2019), in the "lite" variant for mobile
processors: no squeeze-and-excitation, ReLU6 throughout, stem and head of one width for all sizes.
Batch normalization is folded into the convolutions, so the network is convolutions only.

Importing this module registers the model type with transformers, so that
`VisionEncoderDecoderModel.from_pretrained` loads checkpoints that use it as their encoder.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

STEM_CHANNELS, HEAD_CHANNELS = 32, 1280
# Of each stage: factor of the hidden channels, kernel size, stride, output channels, blocks.
STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
STRIDE = 32  # pixels, from one place of the last map to the next


class EfficientNetLiteConfig(PreTrainedConfig):  # type: ignore[misc]
    """Widths, depths and sizes of an `EfficientNetLiteModel`."""

    model_type = "efficientnet-lite"

    def __init__(
        self,
        hidden_size: int = 256,
        image_size: int = 224,
        width_factor: float = 1.0,
        depth_factor: float = 1.0,
        **others: Any,
    ) -> None:
        super().__init__(**others)
        self.hidden_size = hidden_size
        self.image_size = image_size
        self.patch_size = STRIDE
        self.width_factor = width_factor
        self.depth_factor = depth_factor


class Convolution(nn.Module):
    """A convolution with TensorFlow's "same" padding, as the weights were trained with."""

    def __init__(
        self, inside: int, outside: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, kernel, stride, groups=groups)
        excess = kernel - stride
        self.padding = [excess // 2, excess - excess // 2] * 2

    def forward(self, x: Tensor) -> Tensor:
        """Maps (batch, channels, height, width) of a size that the stride divides."""
        if any(self.padding):
            x = functional.pad(x, self.padding)
        result: Tensor = self.conv(x)
        return result


class InvertedResidual(nn.Module):
    """Expand, filter each channel separately, project; add the input if the shapes agree."""

    def __init__(self, inside: int, outside: int, factor: int, kernel: int, stride: int) -> None:
        super().__init__()
        hidden = inside * factor
        self.widen = Convolution(inside, hidden, 1) if factor > 1 else None
        self.filter = Convolution(hidden, hidden, kernel, stride, groups=hidden)
        self.narrow = Convolution(hidden, outside, 1)
        self.residual = stride == 1 and inside == outside

    def forward(self, x: Tensor) -> Tensor:
        """Maps → maps at 1 / stride of the size."""
        y = x if self.widen is None else functional.relu6(self.widen(x))
        narrowed: Tensor = self.narrow(functional.relu6(self.filter(y)))
        return x + narrowed if self.residual else narrowed


class Trunk(nn.Module):
    """Stem, blocks and head: pixels → maps at every scale."""

    def __init__(self, width_factor: float, depth_factor: float) -> None:
        super().__init__()
        self.stem = Convolution(3, STEM_CHANNELS, 3, 2)
        stages = []
        inside = STEM_CHANNELS
        for i, (factor, kernel, stride, channels, blocks) in enumerate(STAGES):
            outside = _rounded(channels * width_factor)
            # The lite variants leave the first and the last stage as deep as they are.
            deep = 0 < i < len(STAGES) - 1
            count = math.ceil(blocks * depth_factor) if deep else blocks
            stages.append(_stage(inside, outside, factor, kernel, stride, count))
            inside = outside
        self.stages = nn.ModuleList(stages)
        self.channels = inside
        self.head = Convolution(inside, HEAD_CHANNELS, 1)

    def maps(self, pixel_values: Tensor) -> list[Tensor]:
        """The maps at 1/2, 1/4, 1/8, 1/16 and 1/32 of the size, each before the next stride."""
        x = functional.relu6(self.stem(pixel_values))
        maps = []
        for stage in self.stages:
            y = stage(x)
            if y.shape[-1] != x.shape[-1]:
                maps.append(x)
            x = y
        return [*maps, x]


class EfficientNetLiteModel(PreTrainedModel):  # type: ignore[misc]
    """A vision encoder for `VisionEncoderDecoderModel`, with its output laid out like ViT's.

    The first hidden state describes the whole picture, in the place of ViT's start token; one for
    each square of 32 × 32 pixels follows, row by row.
    """

    config_class = EfficientNetLiteConfig
    main_input_name = "pixel_values"
    base_model_prefix = "efficientnet_lite"

    def __init__(self, config: EfficientNetLiteConfig) -> None:
        super().__init__(config)
        self.trunk = Trunk(config.width_factor, config.depth_factor)
        places = (config.image_size // STRIDE) ** 2
        self.whole = nn.Linear(HEAD_CHANNELS, config.hidden_size)
        self.places = nn.Linear(self.trunk.channels, config.hidden_size)
        self.position = nn.Parameter(torch.zeros(1, places + 1, config.hidden_size))
        self.norm = nn.LayerNorm(config.hidden_size)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Leave the layers as they were built: the trunk's weights come from a checkpoint."""

    def forward(
        self, pixel_values: Tensor, return_dict: bool = True, **_unused: Any
    ) -> BaseModelOutput:
        """Hidden states (batch, 1 + places, hidden_size) of pixels (batch, 3, size, size).

        VisionEncoderDecoderModel passes more keywords, such as output_attentions, which have no
        effect here.
        """
        last = self.trunk.maps(pixel_values)[-1]
        return BaseModelOutput(last_hidden_state=self.project(*self.features(last)))

    def features(self, last: Tensor) -> tuple[Tensor, Tensor]:
        """The last map → features of the whole picture (batch, 1280), and of each place."""
        head: Tensor = functional.relu6(self.trunk.head(last))
        return head.mean((2, 3)), last.flatten(2).mT

    def project(self, whole: Tensor, places: Tensor) -> Tensor:
        """Features → the hidden states for the decoder (batch, 1 + places, hidden_size)."""
        hidden = torch.cat([self.whole(whole)[:, None], self.places(places)], dim=1)
        normed: Tensor = self.norm(hidden + self.position)
        return normed


def _stage(
    inside: int, outside: int, factor: int, kernel: int, stride: int, count: int
) -> nn.Sequential:
    first = InvertedResidual(inside, outside, factor, kernel, stride)
    others = [InvertedResidual(outside, outside, factor, kernel, 1) for _ in range(count - 1)]
    return nn.Sequential(first, *others)


def _rounded(channels: float) -> int:
    """Round channels to a multiple of 8, at most a tenth below the requested number."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


AutoConfig.register(EfficientNetLiteConfig.model_type, EfficientNetLiteConfig)
AutoModel.register(EfficientNetLiteConfig, EfficientNetLiteModel)
