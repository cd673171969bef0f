"""Captions by models that read an image and a prompt: BLIP, BLIP-2, GIT and Florence-2."""

from collections.abc import Iterable

import torch
from PIL import Image
from torch import Tensor

from monetize.captioning.captioner import CaptionAttention, Captioner
from monetize.captioning.spec import CaptionerSpec
from monetize.checkpoints.image_text_models import ImageTextModel, load_image_text_model
from monetize.errors import CheckpointError
from monetize.settings import CaptionSettings


class ImageTextCaptioner(Captioner):
    """A model that continues, or answers, a prompt about an image."""

    def __init__(self, loaded: ImageTextModel, settings: CaptionSettings) -> None:
        self.loaded = loaded
        self.settings = settings

    @classmethod
    def of(cls, spec: CaptionerSpec) -> "ImageTextCaptioner":
        """Load the model; raises CheckpointError, and UsageError for an unknown task."""
        prompt = spec.settings.caption_prompt
        return cls(load_image_text_model(spec.checkpoint, spec.placement, prompt), spec.settings)

    def prepare(self, image: Image.Image) -> Tensor:
        """Preprocess an RGB image."""
        return self.loaded.pixel_values(image)

    @torch.inference_mode()
    def caption(self, images: Iterable[Image.Image | Tensor]) -> list[str]:
        """Caption RGB images as one batch."""
        tensors = [image if isinstance(image, Tensor) else self.prepare(image) for image in images]
        if not tensors:
            return []
        tokens = self.loaded.generate(
            torch.cat(tensors),
            num_beams=self.settings.num_beams,
            max_new_tokens=self.settings.max_length,
        )
        texts = self.loaded.processor.tokenizer.batch_decode(tokens, skip_special_tokens=True)
        return [" ".join(text.split()) for text in texts]

    def caption_with_attention(
        self, images: Iterable[Image.Image | Tensor]
    ) -> list[CaptionAttention]:
        """Raise CheckpointError: these models give no map of a word."""
        raise CheckpointError(
            f"--heatmap: {self.settings.captioner} has no heat maps, because "
            f"{self.loaded.kind.why_no_heatmap}: leave --heatmap out, or give another --captioner "
            "such as vit-gpt2"
        )
