"""Loading checkpoints as Hugging Face models, on a device and in a precision."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image
from transformers import (
    AutoImageProcessor,
    AutoTokenizer,
    BaseImageProcessor,
    CLIPImageProcessor,
    CLIPTextModel,
    GenerationConfig,
    PreTrainedTokenizerBase,
    VisionEncoderDecoderModel,
)

from monetize.checkpoints.configs import check_configs, read_config
from monetize.checkpoints.embeddings import add_vectors
from monetize.checkpoints.layout import PAINTER
from monetize.checkpoints.load_errors import explain_load_errors
from monetize.checkpoints.lora_fusing import fuse_lora
from monetize.checkpoints.resolve import Checkpoint
from monetize.checkpoints.schedulers import load_scheduler
from monetize.checkpoints.single_file_parts import load_parts
from monetize.checkpoints.tokenizer import load_tokenizer
from monetize.devices import Placement
from monetize.errors import CheckpointError
from monetize.messages import name_some

# Only these classes are loaded, whatever else a checkpoint names, so that none of its code runs.
PART_CLASSES: dict[str, dict[str, Any]] = {
    "unet": {"UNet2DConditionModel": UNet2DConditionModel},
    "vae": {"AutoencoderKL": AutoencoderKL, "AutoencoderTiny": AutoencoderTiny},
    "text_encoder": {"CLIPTextModel": CLIPTextModel},
    "safety_checker": {"StableDiffusionSafetyChecker": StableDiffusionSafetyChecker},
}
# The second is the first for a UNet that takes the guidance scale as an input.
PIPELINES = (StableDiffusionPipeline.__name__, "LatentConsistencyModelPipeline")
# What a checkpoint may say about captions; lengths and numbers of beams are settings.
GENERATION_KEYS = (
    "bad_words_ids",
    "begin_suppress_tokens",
    "bos_token_id",
    "decoder_start_token_id",
    "early_stopping",
    "eos_token_id",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "length_penalty",
    "no_repeat_ngram_size",
    "pad_token_id",
    "repetition_penalty",
    "suppress_tokens",
)


def load_captioning_model(
    checkpoint: Checkpoint, placement: Placement
) -> tuple[VisionEncoderDecoderModel, BaseImageProcessor, PreTrainedTokenizerBase]:
    """Load a captioner's model, image processor and tokenizer, and try them on an image."""
    check_configs(checkpoint)
    kind = read_config(checkpoint, "config.json").get("model_type")
    if kind != "vision-encoder-decoder":
        raise CheckpointError(
            f"--captioner {checkpoint.name} is a {kind!r} model; "
            "a vision-encoder-decoder such as ViT-GPT2, BLIP, BLIP-2, GIT or Florence-2 is needed."
        )
    local = {"local_files_only": True, "trust_remote_code": False}
    with explain_load_errors(checkpoint):
        model, report = VisionEncoderDecoderModel.from_pretrained(
            checkpoint.folder, dtype=placement.dtype, output_loading_info=True, **local
        )
        image_processor = AutoImageProcessor.from_pretrained(checkpoint.folder, **local)
        tokenizer = AutoTokenizer.from_pretrained(checkpoint.folder, **local)
        check_complete(checkpoint, "config.json", report)
        check_finite(checkpoint, model)
        own = model.generation_config.to_diff_dict()
        model.generation_config = GenerationConfig(
            **{key: own[key] for key in GENERATION_KEYS if key in own}
        )
        model = model.to(placement.device).eval()
        _try_captioning(model, image_processor, tokenizer)
    return model, image_processor, tokenizer


def load_painting_pipeline(
    checkpoint: Checkpoint,
    placement: Placement,
    *,
    scheduler: str | None = None,
    safety_checker: bool = False,
) -> StableDiffusionPipeline:
    """Load a Stable Diffusion pipeline on the CPU; a scheduler of None keeps its own."""
    check_configs(checkpoint)
    index = read_config(checkpoint, "model_index.json")
    if index.get("_class_name") not in PIPELINES:
        raise CheckpointError(
            f"--model {checkpoint.name} is a {index.get('_class_name')}; "
            f"monetize paints with checkpoints of the {StableDiffusionPipeline.__name__}."
        )
    names = [*PAINTER.parts, *(["safety_checker"] if safety_checker else [])]
    parts = _load_parts(checkpoint, index, names, placement)
    tokenizer = load_tokenizer(checkpoint)
    with explain_load_errors(checkpoint):
        _check_fit(checkpoint, load_tokenizer(replace(checkpoint, embeddings=())), **parts)
        for lora in checkpoint.loras:
            fuse_lora(checkpoint, lora, parts)
        add_vectors(parts["text_encoder"], tokenizer, checkpoint.embeddings)
        feature_extractor = None
        if safety_checker:
            feature_extractor = CLIPImageProcessor.from_pretrained(
                checkpoint.folder / "feature_extractor", local_files_only=True
            )
        pipeline = StableDiffusionPipeline(
            **{"safety_checker": None, **parts},
            tokenizer=tokenizer,
            scheduler=load_scheduler(checkpoint, scheduler),
            feature_extractor=feature_extractor,
            requires_safety_checker=safety_checker,
        )
        pipeline.set_progress_bar_config(disable=True)
        return pipeline


def _load_parts(
    checkpoint: Checkpoint, index: dict[str, Any], names: Sequence[str], placement: Placement
) -> dict[str, torch.nn.Module]:
    """Load the models of the pipeline, of a folder or a single file."""
    if checkpoint.file is None:
        return {name: _load_part(checkpoint, name, index.get(name), placement) for name in names}
    parts = {}
    for name, (model, missing) in load_parts(checkpoint, placement.dtype).items():
        check_complete(checkpoint, name, {"missing_keys": missing})
        check_finite(checkpoint, model)
        parts[name] = model
    return parts


def _load_part(
    checkpoint: Checkpoint, part: str, entry: object, placement: Placement
) -> torch.nn.Module:
    """Load a model of the pipeline alone: only then do the loaders report missing weights."""
    name = entry[1] if isinstance(entry, list) and len(entry) == 2 else entry
    classes = PART_CLASSES[part]
    if not isinstance(name, str) or name not in classes:
        raise CheckpointError(
            f"--model {checkpoint.name} cannot be loaded: its {part} is of the class {name}; "
            f"monetize paints with {' or '.join(classes)}"
        )
    with explain_load_errors(checkpoint):
        model, report = classes[name].from_pretrained(
            checkpoint.folder / part,
            output_loading_info=True,
            dtype=placement.dtype,
            variant=checkpoint.variant,
            local_files_only=True,
        )
        check_complete(checkpoint, f"{part}/config.json", report)
        check_finite(checkpoint, model)
        loaded: torch.nn.Module = model.eval()
        return loaded


@torch.inference_mode()
def _try_captioning(
    model: VisionEncoderDecoderModel,
    image_processor: BaseImageProcessor,
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    """Caption an image in two tokens, so that files that do not fit each other show."""
    image = Image.new("RGB", (50, 40), "gray")  # of no size that a model has
    pixel_values = image_processor(image, return_tensors="pt")["pixel_values"]
    if not torch.isfinite(pixel_values).all():
        raise ValueError("preprocessor_config.json makes pixels that are not finite numbers.")
    tokens = model.generate(
        pixel_values.to(model.device, model.dtype), max_length=2, num_beams=1, do_sample=False
    )
    tokenizer.batch_decode(tokens, skip_special_tokens=True)


def _check_fit(
    checkpoint: Checkpoint,
    tokenizer: PreTrainedTokenizerBase,
    *,
    unet: UNet2DConditionModel,
    vae: AutoencoderKL | AutoencoderTiny,
    text_encoder: CLIPTextModel,
    **_: torch.nn.Module,
) -> None:
    """Raise CheckpointError if the parts of a pipeline are of different models."""
    text = text_encoder.config
    for what, actual, limit in (
        ("tokens", len(tokenizer), text.vocab_size),
        ("positions of text", tokenizer.model_max_length, text.max_position_embeddings),
        ("features of text", unet.config.cross_attention_dim, text.hidden_size),
        ("channels of the unet", unet.config.in_channels, vae.config.latent_channels),
        ("channels of the vae", vae.config.latent_channels, unet.config.out_channels),
    ):
        if actual > limit:
            raise CheckpointError(
                f"--model {checkpoint.name}: its parts do not fit each other: {actual} {what}, "
                f"where the next part takes {limit}. Copy or download them from one checkpoint."
            )


def check_complete(checkpoint: Checkpoint, config: str, report: dict[str, Any]) -> None:
    """Refuse a checkpoint with missing weights, which the loaders would fill with noise."""
    # ViT's pooler is never used, and some checkpoints do not have it.
    absent = sorted(key for key in report["missing_keys"] if "pooler" not in key)
    if absent:
        raise CheckpointError(
            f"{checkpoint.layout.flag} {checkpoint.name} has no weights for these layers of its "
            f"{config}: {name_some(absent)}. Download it again, or use another."
        )


def check_finite(checkpoint: Checkpoint, model: torch.nn.Module) -> None:
    """Raise CheckpointError for weights that are NaN or infinite; a sum is the cheapest test."""
    for name, parameter in model.named_parameters():
        if not torch.isfinite(parameter.detach().sum(dtype=torch.float32)):
            raise CheckpointError(
                f"{checkpoint.layout.flag} {checkpoint.name}: the weights of {name} are not finite "
                f"numbers in {parameter.dtype}. They may be damaged: copy or download them again."
            )
