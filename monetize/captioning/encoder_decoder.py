"""Captions by a vision encoder and a text decoder, such as ViT-GPT2 and pocket."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from PIL import Image
from torch import Tensor
from transformers import (
    BaseImageProcessor,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    VisionEncoderDecoderModel,
)

from monetize.captioning import efficientnet_lite  # noqa: F401 - registers pocket's encoder
from monetize.captioning.captioner import CaptionAttention, Captioner
from monetize.captioning.spec import CaptionerSpec
from monetize.captioning.word_attention import maps_of_tokens, maps_of_words
from monetize.checkpoints.loading import load_captioning_model
from monetize.settings import CaptionSettings


class EncoderDecoderCaptioner(Captioner):
    """A vision encoder and a text decoder, with heat maps by the decoder's cross-attention."""

    def __init__(
        self,
        model: VisionEncoderDecoderModel,
        image_processor: BaseImageProcessor,
        tokenizer: PreTrainedTokenizerBase,
        settings: CaptionSettings,
    ) -> None:
        self.model = model
        self.image_processor = image_processor
        self.tokenizer = tokenizer
        self.settings = settings

    @classmethod
    def of(cls, spec: CaptionerSpec) -> "EncoderDecoderCaptioner":
        """Load the model; raises CheckpointError if the checkpoint's files are unusable."""
        return cls(*load_captioning_model(spec.checkpoint, spec.placement), spec.settings)

    def prepare(self, image: Image.Image) -> Tensor:
        """Preprocess an RGB image."""
        tensor: Tensor = self.image_processor(images=image, return_tensors="pt")["pixel_values"]
        return tensor

    @torch.inference_mode()
    def caption_with_attention(
        self, images: Iterable[Image.Image | Tensor]
    ) -> list[CaptionAttention]:
        """Caption like `caption`, and also return where the decoder looked for each word.

        The decoder reads the finished caption once more, and its cross-attention to the photo's
        patches at each word is averaged over layers, heads and the word's tokens. Raises
        CheckpointError for a captioner whose attention does not map to places in the photo.
        """
        pixel_values = self._pixel_values(images)
        if pixel_values is None:
            return []
        tokens = self._generate(pixel_values)
        maps = self._attention(pixel_values, tokens)
        texts = self._texts(tokens)
        return [
            maps_of_words(self.tokenizer, *each)
            for each in zip(texts, tokens.tolist(), maps, strict=True)
        ]

    def _pixel_values(self, images: Iterable[Image.Image | Tensor]) -> Tensor | None:
        pixel_values = super()._pixel_values(images)
        if pixel_values is None:
            return None
        return pixel_values.to(self.model.device, self.model.dtype)

    def _grid(self, pixel_values: Tensor) -> tuple[int, int]:
        """Rows and columns of the vision encoder's patches."""
        patch = self.model.config.encoder.patch_size
        return pixel_values.shape[2] // patch, pixel_values.shape[3] // patch

    def _generate(self, pixel_values: Tensor) -> Tensor:
        """The captions' token ids, (batch, length), with start, end and padding."""
        batch = len(pixel_values)
        rows, columns = self._grid(pixel_values)
        patches = rows * columns + 1
        # Both masks say that nothing is padding; without them generate guesses and warns.
        tokens: Tensor = self.model.generate(
            pixel_values,
            attention_mask=torch.ones(batch, patches, device=pixel_values.device),
            decoder_attention_mask=torch.ones(batch, 1, device=pixel_values.device),
            num_beams=self.settings.num_beams,
            max_length=self.settings.max_length,
            do_sample=False,
        )
        return tokens

    def _texts(self, tokens: Tensor) -> list[str]:
        texts = self.tokenizer.batch_decode(tokens, skip_special_tokens=True)
        return [" ".join(text.split()) for text in texts]

    def _attention(self, pixel_values: Tensor, tokens: Tensor) -> Tensor:
        """Where the decoder looked before each token but the first.

        Float32 of shape (batch, tokens - 1, rows, columns of patches).
        """
        with _eager(self.model.decoder):
            output = self.model(
                encoder_outputs=self.model.encoder(pixel_values),
                decoder_input_ids=tokens[:, :-1],
                decoder_attention_mask=torch.ones_like(tokens[:, :-1]),
                output_attentions=True,
            )
        return maps_of_tokens(
            output.cross_attentions,
            self._grid(pixel_values),
            cropped=getattr(self.image_processor, "do_center_crop", False),
            captioner=self.settings.captioner,
        )


@contextmanager
def _eager(decoder: PreTrainedModel) -> Iterator[None]:
    """Compute attention without fused kernels, which do not return it."""
    usual = decoder.config._attn_implementation
    decoder.set_attn_implementation("eager")
    try:
        yield
    finally:
        decoder.set_attn_implementation(usual)
