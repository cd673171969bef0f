"""A heat map laid over a picture."""

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

ADDING, PUSHING_AWAY = (230, 30, 20), (20, 70, 240)  # red, blue
STRONGEST = 0.85  # opacity of the color
PALENESS = 0.4  # share of white in the picture under the colors


def overlay(picture: Image.Image, heat: Tensor, full: float) -> Image.Image:
    """Lay a map of any height and width over a whole picture, which turns gray.

    Positive values are red and negative ones blue, strongest at `full` and -`full`. The opacity
    grows with the square: attention is nowhere 0, and a word that acts in one place should look
    different from one that acts everywhere.
    """
    size = (picture.height, picture.width)
    large = interpolate(heat[None, None].float(), size, mode="bicubic")[0, 0]
    share = (large / (full or 1)).clamp(-1, 1)
    strength = share * share.abs() * STRONGEST * 255
    gray = picture.convert("L").convert("RGB")
    laid = Image.blend(gray, Image.new("RGB", gray.size, "white"), PALENESS)
    for color, sign in ((ADDING, 1), (PUSHING_AWAY, -1)):
        mask = (strength * sign).clamp(min=0).round().to(torch.uint8).cpu()
        laid.paste(color, mask=Image.fromarray(mask.numpy()))
    return laid


def largest(*heats: Tensor) -> float:
    """The largest absolute value in maps, for a scale that they share."""
    return max(float(heat.abs().max()) for heat in heats)


def percent(value: float) -> str:
    """A share of the attention, as the sheets write it."""
    return f"{100 * value:.2g}%"
