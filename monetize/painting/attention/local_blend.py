"""Where words act → the part of an edited painting that may differ from its base.

Local blend of Hertz et al. 2022 (arXiv 2208.01626), with the constants of google/prompt-to-prompt:
the cross-attention to the words is averaged over heads, the 16 × 16 layers and the steps so far;
what is above a fraction of its maximum, in the base or the edited painting, may change. A word's
map is what attention makes of values that are 1 at the word and 0 elsewhere, so no map of all text
positions is materialized.
"""

from collections.abc import Mapping

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from torch import Tensor
from torch.nn.functional import interpolate, max_pool2d

from monetize.painting.attention.layers import cross_attention_at
from monetize.painting.request import Edit

POSITIONS = 16**2  # of the layers, if the UNet has such
START = 0.2  # fraction of the steps, before which the maps say little
THRESHOLD = 0.3  # fraction of a map's maximum
WIDENED = 3  # image positions that each one is widened to


class LocalBlend:
    """The maps of the words that limit edits, summed over layers and steps.

    `edits`, each limited to words, are keyed by row in a batch of `count` images; each follows its
    base.
    `size` is the height and width of the latents.
    """

    def __init__(
        self,
        unet: UNet2DConditionModel,
        edits: Mapping[int, Edit],
        count: int,
        size: tuple[int, int],
        device: torch.device,
    ) -> None:
        self._layers, self._size = cross_attention_at(unet, size, POSITIONS)
        self._edits = edits
        self._edited = torch.tensor(list(edits), device=device)
        self._count = count
        self._marks: Tensor | None = None
        self._sum: Tensor | None = None

    def reads(self, layer: Attention) -> bool:
        """Whether this layer's attention is added to the maps."""
        return any(layer is each for each in self._layers)

    def marks(self, value: Tensor, offset: int) -> Tensor:
        """Values shaped like `value` that are 1 at the words; the first `offset` rows have none."""
        if self._marks is None:
            marks = torch.zeros(self._count, value.shape[1], 1)
            for i, edit in self._edits.items():
                marks[i - 1, list(edit.only_in_base)] = 1
                marks[i, list(edit.only_in_edited)] = 1
            self._marks = marks.to(value)
        unmarked = torch.zeros_like(self._marks[:offset])
        return torch.cat([unmarked, self._marks]).expand_as(value)

    def add(self, marked: Tensor) -> None:
        """Add what a layer's attention made of the marks, (count, image positions, channels)."""
        # Within a head all channels are equal, so this is the mean over heads.
        acted = marked.float().mean(dim=-1)
        self._sum = acted if self._sum is None else self._sum + acted

    def __call__(self, latents: Tensor, done: float) -> Tensor:
        """Return latents in which each edit equals its base except where the words act.

        `done` is the fraction of the steps that was done before this one.
        """
        if self._sum is None or done < START:
            return latents
        maps = self._sum.reshape(-1, 1, *self._size)
        maps = max_pool2d(maps, WIDENED, stride=1, padding=WIDENED // 2)
        acts = maps > THRESHOLD * maps.amax(dim=(2, 3), keepdim=True)
        acts = interpolate(acts.float(), latents.shape[-2:]) > 0
        bases, edited = self._edited - 1, self._edited
        mixed = torch.where(acts[edited] | acts[bases], latents[edited], latents[bases])
        return latents.index_copy(0, edited, mixed)
