"""Captions by models that read an image and a prompt: BLIP, BLIP-2, GIT and Florence-2."""

from collections.abc import Iterable

import torch
from PIL import Image
from torch import Tensor

from monetize.captioning.captioner import CaptionAttention, Captioner
from monetize.captioning.spec import CaptionerSpec
from monetize.captioning.word_attention import maps_of_tokens, maps_of_words
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
    def caption_with_attention(
        self, images: Iterable[Image.Image | Tensor]
    ) -> list[CaptionAttention]:
        """Caption like `caption`, and also return where BLIP looked for each word.

        Raises CheckpointError for the other models, which give no map of a word.
        """
        loaded = self.loaded
        if loaded.kind.why_no_heatmap:
            raise CheckpointError(
                f"--heatmap: {self.settings.captioner} has no heat maps, because "
                f"{loaded.kind.why_no_heatmap}: leave out --heatmap, or choose another "
                "--captioner, such as vit-gpt2"
            )
        pixel_values = self._pixel_values(images)
        if pixel_values is None:
            return []
        tokens = self._generate(pixel_values)
        maps = maps_of_tokens(
            loaded.cross_attentions(pixel_values, tokens),
            loaded.grid(pixel_values),
            cropped=getattr(loaded.processor.image_processor, "do_center_crop", False),
            captioner=self.settings.captioner,
        )
        texts = self._texts(tokens)
        return [
            maps_of_words(loaded.processor.tokenizer, *each)
            for each in zip(texts, tokens.tolist(), maps, strict=True)
        ]

    def _generate(self, pixel_values: Tensor) -> Tensor:
        return self.loaded.generate(
            pixel_values,
            num_beams=self.settings.num_beams,
            max_new_tokens=self.settings.max_length,
        )

    def _texts(self, tokens: Tensor) -> list[str]:
        texts = self.loaded.processor.tokenizer.batch_decode(tokens, skip_special_tokens=True)
        return [" ".join(text.split()) for text in texts]
