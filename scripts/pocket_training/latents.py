"""Pictures → the painter's training data: latents of several views, and their prompts."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from diffusers import AutoencoderTiny
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from pocket_training.data import to_unit
from pocket_training.loop import autocast

ENCODED_AT_ONCE = 32
SIZE = 256  # that the painter paints at


@dataclass(frozen=True)
class Source:
    """One kind of picture: its latents (count, channels, 16, 16), prompts, and share of batches."""

    latents: Tensor
    prompts: Sequence[str]
    share: float


def encode(
    vae: AutoencoderTiny, pictures: Tensor, views: int, *, device: torch.device, seed: int
) -> Tensor:
    """Latents of each picture whole, mirrored, then of random squares of it, `views` in all.

    Turns (count, 3, 256, 256) bytes into (views · count, channels, 16, 16) half floats, view by
    view.
    """
    generator = torch.Generator().manual_seed(seed)
    encoded = []
    vae = vae.to(device, memory_format=torch.channels_last).eval()
    for view in tqdm(range(views), desc="latents", unit="view"):
        for batch in torch.split(pictures, ENCODED_AT_ONCE):
            seen = _view(to_unit(batch), view, generator).to(device)
            with torch.inference_mode(), autocast(device):
                encoded_batch = vae.encoder(seen.contiguous(memory_format=torch.channels_last))
            encoded.append(encoded_batch.half().cpu())
    return torch.cat(encoded)


def _view(pixels: Tensor, view: int, generator: torch.Generator) -> Tensor:
    if view > 1:
        size = pixels.shape[-1]
        side = int(size * (0.7 + 0.25 * torch.rand((), generator=generator)))
        top, left = torch.randint(size - side + 1, (2,), generator=generator).tolist()
        pixels = pixels[..., top : top + side, left : left + side]
    small = functional.interpolate(pixels, (SIZE, SIZE), mode="bicubic", antialias=True)
    return (small.flip(3) if view % 2 else small).clamp(-1, 1)
