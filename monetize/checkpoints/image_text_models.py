"""Loading models that read an image and a prompt: BLIP, BLIP-2, GIT and Florence-2."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import transformers
from PIL import Image
from torch import Tensor
from transformers import (
    GenerationConfig,
    PreTrainedModel,
    ProcessorMixin,
)

from monetize.checkpoints.configs import check_configs, read_config
from monetize.checkpoints.load_errors import explain_load_errors
from monetize.checkpoints.loading import GENERATION_KEYS, check_complete, check_finite
from monetize.checkpoints.resolve import Checkpoint
from monetize.devices import Placement
from monetize.errors import UsageError
from monetize.messages import first_line


@dataclass(frozen=True)
class ImageTextKind:
    """A kind of model that reads an image and a prompt, by transformers' names of its classes.

    `why_no_heatmap` is empty if a text decoder attends to the photo's patches. `default_prompt` is
    the prompt where none is given. With `open_ended`, the separator behind a prompt is left out, so
    that the caption continues it.
    """

    model: str
    processor: str
    why_no_heatmap: str = ""
    default_prompt: str = ""
    open_ended: bool = False


# By the model_type of config.json. Only these classes are loaded, so no code in a checkpoint runs.
KINDS = {
    "blip": ImageTextKind(
        "BlipForConditionalGeneration",
        "BlipProcessor",
    ),
    "blip-2": ImageTextKind(
        "Blip2ForConditionalGeneration",
        "Blip2Processor",
        "BLIP-2 reads the photo as a few queries, which have no place in it",
    ),
    "git": ImageTextKind(
        "GitForCausalLM",
        "GitProcessor",
        "GIT reads the photo as part of its text, without cross-attention",
        open_ended=True,
    ),
    "florence2": ImageTextKind(
        "Florence2ForConditionalGeneration",
        "Florence2Processor",
        "the encoder of Florence-2 mixes the photo with the task before the decoder sees it",
        default_prompt="<CAPTION>",
    ),
}


@dataclass(frozen=True)
class ImageTextModel:
    """A loaded model with its processor; `prompt` has the tensors of its text, a batch of one."""

    kind: ImageTextKind
    model: PreTrainedModel
    processor: ProcessorMixin
    prompt: dict[str, Tensor]
    dtype: torch.dtype

    def pixel_values(self, image: Image.Image) -> Tensor:
        """Preprocess an RGB image: (1, 3, height, width), on the CPU."""
        made = self.processor.image_processor(images=image, return_tensors="pt")
        tensor: Tensor = made["pixel_values"]
        return tensor

    def generate(self, pixel_values: Tensor, *, num_beams: int, max_new_tokens: int) -> Tensor:
        """Token ids of the captions of (batch, 3, height, width), by beam search."""
        device, batch = self.model.device, len(pixel_values)
        # A copy for each, as some models write into it.
        prompt = {
            name: tensor.repeat(batch, *[1] * (tensor.ndim - 1)).to(device)
            for name, tensor in self.prompt.items()
        }
        tokens: Tensor = self.model.generate(
            pixel_values=pixel_values.to(device, self.dtype),
            **prompt,
            num_beams=num_beams,
            max_new_tokens=max_new_tokens,
            do_sample=False,
        )
        return tokens

    def grid(self, pixel_values: Tensor) -> tuple[int, int]:
        """Rows and columns of BLIP's patches."""
        patch = self.model.config.vision_config.patch_size
        return pixel_values.shape[2] // patch, pixel_values.shape[3] // patch

    def cross_attentions(self, pixel_values: Tensor, tokens: Tensor) -> Sequence[Tensor]:
        """The attention of BLIP's text decoder to the photo before each token but the first.

        Of each layer, (batch, heads, tokens - 1, 1 + patches).
        """
        patches = self.model.vision_model(pixel_values.to(self.model.device, self.dtype))[0]
        output = self.model.text_decoder(
            input_ids=tokens[:, :-1],
            attention_mask=torch.ones_like(tokens[:, :-1]),
            encoder_hidden_states=patches,
            encoder_attention_mask=torch.ones_like(patches[:, :, 0]),
            output_attentions=True,
        )
        layers: Sequence[Tensor] = output.cross_attentions
        return layers


def model_type(checkpoint: Checkpoint) -> str:
    """What config.json says a captioner is; raises CheckpointError."""
    return str(read_config(checkpoint, "config.json").get("model_type"))


def is_image_text(checkpoint: Checkpoint) -> bool:
    """Whether a captioner reads a prompt; raises CheckpointError if config.json is unusable."""
    return model_type(checkpoint) in KINDS


def load_image_text_model(
    checkpoint: Checkpoint, placement: Placement, prompt: str
) -> ImageTextModel:
    """Load a model and its processor, and try them on an image.

    Raises CheckpointError for unusable files, and UsageError for a prompt that they do not take.
    """
    check_configs(checkpoint)
    kind = KINDS[model_type(checkpoint)]
    local = {"local_files_only": True, "trust_remote_code": False}
    with explain_load_errors(checkpoint):
        model, report = getattr(transformers, kind.model).from_pretrained(
            checkpoint.folder, dtype=placement.dtype, output_loading_info=True, **local
        )
        processor = getattr(transformers, kind.processor).from_pretrained(
            checkpoint.folder, **local
        )
        check_complete(checkpoint, "config.json", report)
        check_finite(checkpoint, model)
        _keep_generation(model)
        model = model.to(placement.device).eval()
        text = _prompt(kind, processor, kind.default_prompt)
        loaded = ImageTextModel(kind, model, processor, text, placement.dtype)
        _try(loaded)
    if not prompt:
        return loaded
    try:
        text = _prompt(kind, processor, prompt)
    except ValueError as error:
        raise UsageError(f"--caption-prompt {prompt!r}: {first_line(error)}") from None
    return ImageTextModel(kind, model, processor, text, placement.dtype)


def _keep_generation(model: PreTrainedModel) -> None:
    """Keep what a checkpoint may say about captions; the parts generate by their own settings."""
    for module in model.modules():
        config = getattr(module, "generation_config", None)
        if isinstance(config, GenerationConfig):
            own = config.to_diff_dict()
            kept = {key: own[key] for key in GENERATION_KEYS if key in own}
            module.generation_config = GenerationConfig(**kept)


def _prompt(kind: ImageTextKind, processor: ProcessorMixin, prompt: str) -> dict[str, Tensor]:
    """The tensors of a prompt, which do not depend on the image; none without a prompt."""
    if not prompt:
        return {}
    made: dict[str, Any] = processor(images=_gray(), text=prompt, return_tensors="pt")
    tensors: dict[str, Tensor] = {
        name: made[name] for name in ("input_ids", "attention_mask") if name in made
    }
    if kind.open_ended:
        tensors = {name: tensor[:, :-1] for name, tensor in tensors.items()}
    return tensors


@torch.inference_mode()
def _try(loaded: ImageTextModel) -> None:
    """Caption an image in two tokens, so that files that do not fit each other show."""
    pixel_values = loaded.pixel_values(_gray())
    if not torch.isfinite(pixel_values).all():
        raise ValueError("preprocessor_config.json makes pixels that are not finite numbers.")
    tokens = loaded.generate(pixel_values, num_beams=1, max_new_tokens=2)
    loaded.processor.tokenizer.batch_decode(tokens, skip_special_tokens=True)


def _gray() -> Image.Image:
    return Image.new("RGB", (50, 40), "gray")  # of no size that a model has
