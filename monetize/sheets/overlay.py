"""A heat map laid over a picture."""

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

ADDING, PUSHING_AWAY = (230, 30, 20), (20, 70, 240)
STRONGEST = 0.85  # of the colour; the rest is the picture
PALENESS = 0.4  # of the picture beneath the colours


def overlay(picture: Image.Image, heat: Tensor, full: float) -> Image.Image:
    """Lay a map of any height and width over the whole of a picture, which becomes grey.

    What is above 0 is red, what is below 0 blue, and strongest at `full` and -`full`. The strength
    goes with the square: attention is nowhere 0, and a word that acts here only is to be told from
    one that acts everywhere.
    """
    size = (picture.height, picture.width)
    large = interpolate(heat[None, None].float(), size, mode="bicubic")[0, 0]
    share = (large / (full or 1)).clamp(-1, 1)
    strength = share * share.abs() * STRONGEST * 255
    grey = picture.convert("L").convert("RGB")
    laid = Image.blend(grey, Image.new("RGB", grey.size, "white"), PALENESS)
    for colour, sign in ((ADDING, 1), (PUSHING_AWAY, -1)):
        mask = (strength * sign).clamp(min=0).round().to(torch.uint8).cpu()
        laid.paste(colour, mask=Image.fromarray(mask.numpy()))
    return laid


def largest(*heats: Tensor) -> float:
    """The largest distance from 0 in maps, for a scale that they share."""
    return max(float(heat.abs().max()) for heat in heats)


def percent(value: float) -> str:
    """A share of the attention, as the sheets write it."""
    return f"{100 * value:.2g}%"
