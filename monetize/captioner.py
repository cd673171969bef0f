"""Photos → captions, with a vision encoder and a text decoder such as ViT-GPT2."""

from collections.abc import Iterable

import torch
from PIL import Image
from transformers import BaseImageProcessor, PreTrainedTokenizerBase, VisionEncoderDecoderModel

from monetize.checkpoints import Checkpoint
from monetize.models import Placement, load_captioning_model
from monetize.settings import CaptionSettings


class Captioner:
    """A captioning model with the settings it is used with."""

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
    def load(
        cls, checkpoint: Checkpoint, placement: Placement, settings: CaptionSettings
    ) -> "Captioner":
        """Load a resolved checkpoint; raises CheckpointError if its folder is not a captioner's."""
        return cls(*load_captioning_model(checkpoint, placement), settings)

    @torch.inference_mode()
    def caption(self, images: Iterable[Image.Image]) -> list[str]:
        """Caption RGB images of any size as one batch, by beam search.

        The images are taken one at a time and not kept, so a generator of large photos needs
        the memory of one of them.
        """
        tensors = [
            self.image_processor(images=image, return_tensors="pt")["pixel_values"]
            for image in images
        ]
        if not tensors:
            return []
        pixel_values = torch.cat(tensors).to(self.model.device, self.model.dtype)
        batch, _, height, width = pixel_values.shape
        patch = self.model.config.encoder.patch_size
        patches = (height // patch) * (width // patch) + 1
        # Both masks say that nothing is padding, which generate would warn about having to guess.
        tokens = self.model.generate(
            pixel_values,
            attention_mask=torch.ones(batch, patches, device=pixel_values.device),
            decoder_attention_mask=torch.ones(batch, 1, device=pixel_values.device),
            num_beams=self.settings.num_beams,
            max_length=self.settings.max_length,
            do_sample=False,
        )
        texts = self.tokenizer.batch_decode(tokens, skip_special_tokens=True)
        return [" ".join(text.split()) for text in texts]
