"""Finished paintings, and those that the device may still be working on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from torch import Tensor

from monetize.atomic_files import write_bytes
from monetize.errors import PaintingError
from monetize.images.color_transfer import Palette
from monetize.images.encoding import encode, parameters
from monetize.painting.latents import PendingImages
from monetize.painting.request import PaintRequest
from monetize.settings import PaintSettings


@dataclass(frozen=True)
class Painting:
    """A finished image and what it was made from.

    `settings` are complete, `scheduler` is diffusers' class name. A `flagged` image was blacked
    out by the safety checker. `heat`, if it was recorded, is where each text position acted:
    (text positions, height and width of the latents), see `attention/recorder.py`.
    """

    image: Image.Image
    request: PaintRequest
    settings: PaintSettings
    scheduler: str
    flagged: bool = False
    heat: Tensor | None = field(default=None, compare=False)

    def parameters(self, extra: Mapping[str, str] | None = None) -> str:
        """The text that is written into the painting's file; `extra` are further pairs."""
        init_image = self.request.init_image
        edit = self.request.edit
        return parameters(
            self.request.prompt,
            self.settings,
            seed=self.request.seed,
            size=self.image.size,
            scheduler=self.scheduler,
            init_image=init_image.name if init_image else None,
            extra={**(edit.metadata() if edit else {}), **(extra or {})},
        )

    def save(self, path: str | Path) -> None:
        """Write a PNG or JPEG, by its suffix, with prompt and settings inside.

        Raises UsageError for another suffix and StorageError if it cannot be written.
        """
        path = Path(path)
        write_bytes(path, encode(self.image, path, self.parameters()))


def recolor(paintings: Sequence[Painting], palette: Palette | None) -> list[Painting]:
    """Give paintings the palette's colors, except those that were blacked out."""
    if palette is None:
        return list(paintings)
    return [
        each if each.flagged else replace(each, image=palette.apply(each.image, each.request.seed))
        for each in paintings
    ]


class PendingPaintings:
    """A batch that was sent to the device, which may still be working on it."""

    def __init__(
        self,
        images: PendingImages,
        requests: Sequence[PaintRequest],
        settings: PaintSettings,
        pipeline: StableDiffusionPipeline,
        heat: Tensor | None = None,
    ) -> None:
        self._images = images
        self._requests = requests
        self._settings = settings
        self._scheduler = type(pipeline.scheduler).__name__
        self._dtype = pipeline.unet.dtype
        self._heat = heat

    def result(self) -> list[Painting]:
        """Wait for the paintings; raises PaintingError if the numbers overflowed."""
        try:
            images = self._images.result()
        except PaintingError:
            raise PaintingError(_overflow(self._dtype, self._requests)) from None
        heats = [None] * len(images) if self._heat is None else self._heat.cpu().unbind()
        return [
            Painting(image, request, self._settings, self._scheduler, flagged, heat)
            for image, request, flagged, heat in zip(
                images, self._requests, self._images.flagged, heats, strict=True
            )
        ]


def _overflow(dtype: torch.dtype, requests: Sequence[PaintRequest]) -> str:
    """The message for numbers that overflowed, which would come out as a black image."""
    weights = sorted({text for request in requests for text in request.prompt.weight_texts})
    smaller = f", or smaller weights than {', '.join(weights)}" if weights else ""
    name = str(dtype).removeprefix("torch.")
    return f"The numbers overflow {name} while painting: try --dtype float32{smaller}"
