"""The autoencoder: 128 × 128 pictures ↔ 16 × 16 latents of 12 channels."""

from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import AutoencoderTiny
from diffusers.models.autoencoders.vae import AutoencoderTinyBlock
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from pocket_training.data import sheet, to_bytes, to_unit
from pocket_training.loop import Plan, autocast, fit
from pocket_training.perceptual import Perceptual

LATENT_CHANNELS = 12
WIDTH = 48
CROP = 96  # for convolutions a crop is as good per pixel, and a batch mixes more pictures
NOISE = 0.1  # so that the decoder tolerates latents that are as inexact as a painter's
TEXTURE_WEIGHT = 0.1
SPREAD_WEIGHT = 0.003  # keeps the latents' std near 1, to which the noise is relative


def build() -> AutoencoderTiny:
    """An untrained autoencoder; nearly all of its work is done at 64 × 64 and below.

    It has no normalization, so its layers are initialized to keep the scale of their inputs:
    convolutions as in He et al. (ICCV 2015), residual branches small.
    """
    vae = AutoencoderTiny(
        encoder_block_out_channels=(WIDTH,) * 4,
        decoder_block_out_channels=(WIDTH,) * 4,
        num_encoder_blocks=(0, 2, 3, 3),
        num_decoder_blocks=(3, 3, 2, 0),
        latent_channels=LATENT_CHANNELS,
    )
    for layer in vae.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    for block in vae.modules():
        if isinstance(block, AutoencoderTinyBlock):
            block.conv[-1].weight.data *= 0.1
    vae.decoder.layers[-1].weight.data *= 0.3
    return vae


def train(
    model: AutoencoderTiny, pictures: Sequence[Tensor], shares: Sequence[float], plan: Plan,
    work: Path, *, lpips: Path, device: torch.device, seed: int, shown: Tensor,
) -> AutoencoderTiny:  # fmt: skip
    """Train on sets of pictures, uint8 (count, 3, 128, 128), each drawn as often as its share.

    `lpips` has the weights of the perceptual distance; `shown` are for the sample sheet.
    """
    torch.manual_seed(seed)
    compare = Perceptual(lpips).to(device)
    weights = torch.tensor(shares)

    def loss_of(model: AutoencoderTiny, generator: torch.Generator, progress: float) -> Tensor:
        batch = _crops(pictures, weights, plan.batch_size, generator).to(device)
        with autocast(device):
            latents = model.encoder(batch)
            noise = NOISE * torch.randn(latents.shape, generator=generator).to(device)
            painted = model.decoder(latents + noise).float()
            likeness, texture = compare(painted, batch)
        pixels = functional.l1_loss(painted, batch)
        spread = latents.float().square().mean()
        # First colors and their places: the texture loss alone can be low without either.
        finer = min(max((progress - 0.05) / 0.15, 0.0), 1.0)
        loss: Tensor = (
            2 * pixels + finer * (likeness + TEXTURE_WEIGHT * texture) + SPREAD_WEIGHT * spread
        )
        return loss

    def draw(model: AutoencoderTiny) -> Image.Image:
        original = to_unit(shown).to(device)
        again = model.decoder(model.encoder(original))
        return sheet([shown, to_bytes(again).cpu()])

    model.to(device, memory_format=torch.channels_last)
    return fit("autoencoder", model, loss_of, plan, work, seed=seed, draw=draw)


def _crops(
    pictures: Sequence[Tensor], weights: Tensor, count: int, generator: torch.Generator
) -> Tensor:
    """Random, randomly mirrored crops in [-1, 1]."""
    crops = []
    for index in torch.multinomial(weights, count, replacement=True, generator=generator).tolist():
        chosen = pictures[index]
        number = int(torch.randint(len(chosen), (), generator=generator))
        top, left = torch.randint(chosen.shape[2] - CROP + 1, (2,), generator=generator).tolist()
        crop = chosen[number, :, top : top + CROP, left : left + CROP]
        crops.append(crop.flip(2) if torch.rand((), generator=generator) < 0.5 else crop)
    return to_unit(torch.stack(crops)).contiguous(memory_format=torch.channels_last)
