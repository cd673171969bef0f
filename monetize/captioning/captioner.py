"""Photos → captions, by any of the kinds of models that can caption."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from monetize.captioning.spec import CaptionerSpec
from monetize.checkpoints.image_text_models import is_image_text
from monetize.checkpoints.quiet import quiet_libraries
from monetize.images.decoding import open_photo
from monetize.progress import Reporter
from monetize.settings import CaptionSettings, DeviceSettings
from monetize.stores.remote_path import AnyPath, any_path


@dataclass(frozen=True)
class CaptionAttention:
    """A caption, and its words in order, each with a map of where the decoder looked.

    The maps have the shape (rows of patches, columns of patches) and add up to at most 1: the
    rest is the attention to the vision encoder's start token.
    """

    caption: str
    words: tuple[tuple[str, Tensor], ...]


class Captioner(ABC):
    """A captioning model with the settings it is used with."""

    settings: CaptionSettings

    @classmethod
    def from_pretrained(
        cls,
        captioner: str = CaptionSettings.captioner,
        *,
        device: str = DeviceSettings.device,
        dtype: str = DeviceSettings.dtype,
        offline: bool = DeviceSettings.offline,
        **settings: object,
    ) -> "Captioner":
        """Load a captioner by name, folder or hub id, as `--captioner` takes it.

        `settings` are further fields of `CaptionSettings`, such as `num_beams=1`. Raises
        CheckpointError and UsageError.
        """
        caption_settings = CaptionSettings(captioner, **settings)  # type: ignore[arg-type]
        device_settings = DeviceSettings(device, dtype, offline)
        with quiet_libraries():
            return cls.load(CaptionerSpec.resolve(caption_settings, device_settings, Reporter()))

    @staticmethod
    def load(spec: CaptionerSpec) -> "Captioner":
        """Load a captioner of the checkpoint's kind.

        Raises CheckpointError if the checkpoint's files are unusable, and UsageError for a prompt
        that it does not take.
        """
        # Both are captioners themselves.
        from monetize.captioning.encoder_decoder import EncoderDecoderCaptioner
        from monetize.captioning.image_text import ImageTextCaptioner

        if is_image_text(spec.checkpoint):
            return ImageTextCaptioner.of(spec)
        return EncoderDecoderCaptioner.of(spec)

    def __call__(self, photo: Image.Image | str | AnyPath) -> str:
        """Caption one photo, an image or a file; raises PhotoError if a file cannot be read."""
        image = photo if isinstance(photo, Image.Image) else open_photo(any_path(photo))
        return self.caption([image.convert("RGB")])[0]

    @abstractmethod
    def prepare(self, image: Image.Image) -> Tensor:
        """Preprocess an RGB image of any size: (1, 3, height, width), on the CPU.

        This is the slow part of a large photo, and can be done in a thread.
        """

    @torch.inference_mode()
    def caption(self, images: Iterable[Image.Image | Tensor]) -> list[str]:
        """Caption RGB images of any size, prepared or not, as one batch, by beam search.

        The images are taken one at a time and not kept, so a generator of large photos needs
        the memory of one of them.
        """
        pixel_values = self._pixel_values(images)
        return [] if pixel_values is None else self._texts(self._generate(pixel_values))

    @abstractmethod
    def caption_with_attention(
        self, images: Iterable[Image.Image | Tensor]
    ) -> list[CaptionAttention]:
        """Caption like `caption`, and also return where the decoder looked for each word.

        Raises CheckpointError for a captioner whose attention does not map to places in the photo.
        """

    @abstractmethod
    def _generate(self, pixel_values: Tensor) -> Tensor:
        """Return the captions' token ids, (batch, length), with special tokens."""

    @abstractmethod
    def _texts(self, tokens: Tensor) -> list[str]:
        """Decode token ids into captions."""

    def _pixel_values(self, images: Iterable[Image.Image | Tensor]) -> Tensor | None:
        tensors = [image if isinstance(image, Tensor) else self.prepare(image) for image in images]
        return torch.cat(tensors) if tensors else None
