"""Seeds and images → latents, and latents → images."""

from collections.abc import Sequence

import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from torch import Tensor

from monetize.devices import send
from monetize.errors import PaintingError

# The autoencoder's memory grows with its batch: decoding takes 2.51 TFLOP and, in half precision,
# 0.5 GB for each image of 512 × 512, encoding less than half of that.
IMAGES_AT_ONCE = {"cuda": 4}


class SeededNoise:
    """Standard normal noise of a batch: each image's is drawn by a generator of its own.

    Noise is drawn on the CPU in float32, so that a seed means the same painting in any batch, on
    any device, and in any precision up to rounding.
    """

    def __init__(self, seeds: Sequence[int]) -> None:
        self.seeds = tuple(seeds)
        self._generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]

    def draw(self, shape: tuple[int, ...], places: slice = slice(None)) -> Tensor:
        """Draw the next noise of the images at these places, each of this shape: (batch, *shape).

        As starting latents, `shape` is their channels, height and width.
        """
        return torch.stack(
            [torch.randn(shape, generator=generator) for generator in self._generators[places]]
        )


def encode_images(
    pipeline: StableDiffusionPipeline,
    images: Sequence[Image.Image],
    noise: SeededNoise,
    device: torch.device,
) -> tuple[Tensor, Tensor]:
    """Encode RGB images of one size; returns their latents, and standard normal noise to add.

    Both have shape (batch, channels, height, width). As in diffusers, the latents are a sample of
    the encoder's distribution (an autoencoder without one gives them directly), and the noise is
    drawn after it by the same generator.
    """
    vae = pipeline.vae
    pixels = pipeline.image_processor.preprocess(list(images))
    at_once = IMAGES_AT_ONCE.get(device.type, 1)
    encoded = []
    for i, part in enumerate(torch.split(pixels, at_once)):
        output = vae.encode(send(part.to(vae.dtype), device))
        if not hasattr(output, "latent_dist"):
            encoded.append(output.latents.float())
            continue
        mean, std = output.latent_dist.mean, output.latent_dist.std
        drawn = noise.draw(mean.shape[1:], slice(i * at_once, (i + 1) * at_once))
        encoded.append(mean.float() + std.float() * send(drawn, device))
    latents = torch.cat(encoded) * vae.config.scaling_factor
    return latents, noise.draw(latents.shape[1:])


class PendingImages:
    """Decoded images that the device may still be working on."""

    def __init__(self, pixels: Tensor, finite: Tensor, flagged: Sequence[bool]) -> None:
        """Start the copy to the CPU; `pixels` are uint8, (batch, height, width, 3)."""
        # On CUDA this copies into pinned memory without waiting; other devices cannot tell when
        # such a copy is done.
        self._pixels = pixels.to("cpu", non_blocking=pixels.is_cuda)
        self._finite = finite.to("cpu", non_blocking=pixels.is_cuda)
        self.flagged = flagged
        self._arrived: torch.cuda.Event | None = None
        if pixels.is_cuda:
            self._arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._arrived.record(torch.cuda.current_stream(pixels.device))

    def result(self) -> list[Image.Image]:
        """Wait for the images; raises PaintingError if the latents or images overflowed."""
        if self._arrived is not None:
            self._arrived.synchronize()
        if not self._finite:
            raise PaintingError("The numbers overflow while painting")
        return [Image.fromarray(each.numpy()) for each in self._pixels]


def decode(
    pipeline: StableDiffusionPipeline, latents: Tensor, device: torch.device
) -> PendingImages:
    """Decode latents, (batch, channels, height, width), a few at a time to bound the memory.

    Images that the pipeline's safety checker flags are black.
    """
    scaled = latents / pipeline.vae.config.scaling_factor
    finite = torch.isfinite(latents).all()
    pixels, flagged = [], list[bool]()
    for part in torch.split(scaled, IMAGES_AT_ONCE.get(device.type, 1)):
        decoded = pipeline.vae.decode(part).sample
        finite &= torch.isfinite(decoded).all()
        checked, flags = pipeline.run_safety_checker(decoded, device, latents.dtype)
        flags = flags or [False] * len(part)
        # The checker's black images are in the range of images already, which begins at 0.
        denormalized = [
            image if flag else pipeline.image_processor.denormalize(image)
            for image, flag in zip(checked, flags, strict=True)
        ]
        pixels.append((torch.stack(denormalized).float() * 255).round().to(torch.uint8))
        flagged += flags
    channels_last = torch.cat(pixels).permute(0, 2, 3, 1).contiguous()
    return PendingImages(channels_last, finite, flagged)
