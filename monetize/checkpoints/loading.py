"""Loading checkpoints as Hugging Face models, on a device and in a precision."""

import json
import math
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import diffusers
import transformers
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    LMSDiscreteScheduler,
    PNDMScheduler,
    StableDiffusionPipeline,
    UniPCMultistepScheduler,
)
from safetensors import SafetensorError
from transformers import (
    AutoImageProcessor,
    AutoTokenizer,
    BaseImageProcessor,
    PreTrainedTokenizerBase,
    VisionEncoderDecoderModel,
)

from monetize.checkpoints.layout import PAINTER
from monetize.checkpoints.resolve import Checkpoint
from monetize.checkpoints.tokenizer import load_tokenizer
from monetize.devices import Placement, ran_out_of_memory
from monetize.errors import CheckpointError, UsageError
from monetize.messages import first_line, name_some
from monetize.settings import PaintSettings

PART_LIBRARIES = {"diffusers": diffusers, "transformers": transformers}
SCHEDULER_CLASSES = {
    "pndm": PNDMScheduler,
    "lms": LMSDiscreteScheduler,
    "ddim": DDIMScheduler,
    "dpm++": DPMSolverMultistepScheduler,
    "unipc": UniPCMultistepScheduler,
}


def load_captioning_model(
    checkpoint: Checkpoint, placement: Placement
) -> tuple[VisionEncoderDecoderModel, BaseImageProcessor, PreTrainedTokenizerBase]:
    """Load a captioner's model, image processor and tokenizer."""
    folder = checkpoint.folder
    kind = _read_json(checkpoint, "config.json").get("model_type")
    if kind != "vision-encoder-decoder":
        raise CheckpointError(
            f"--captioner {checkpoint.name} is a {kind!r} model; "
            "a vision-encoder-decoder such as ViT-GPT2 is needed."
        )
    with _explained(checkpoint):
        model, report = VisionEncoderDecoderModel.from_pretrained(
            folder, dtype=placement.dtype, local_files_only=True, output_loading_info=True
        )
        image_processor = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        _check_complete(checkpoint, "config.json", report)
        return model.to(placement.device).eval(), image_processor, tokenizer


def load_painting_pipeline(
    checkpoint: Checkpoint,
    placement: Placement,
    *,
    scheduler: str | None = None,
    safety_checker: bool = False,
) -> StableDiffusionPipeline:
    """Load a Stable Diffusion pipeline on the CPU; a scheduler of None keeps its own."""
    folder = checkpoint.folder
    index = _read_json(checkpoint, "model_index.json")
    if index.get("_class_name") != StableDiffusionPipeline.__name__:
        raise CheckpointError(
            f"--model {checkpoint.name} is a {index.get('_class_name')}; "
            f"monetize paints with checkpoints of the {StableDiffusionPipeline.__name__}."
        )
    options = {
        "dtype": placement.dtype,
        "variant": checkpoint.variant,
        "local_files_only": True,
    }
    unchecked = {} if safety_checker else {"safety_checker": None, "requires_safety_checker": False}
    with _explained(checkpoint):
        # Load each part separately: only then do the loaders report missing weights.
        parts: dict[str, Any] = {"tokenizer": load_tokenizer(checkpoint)}
        for part in PAINTER.parts:
            library, class_name = index[part]
            part_class = getattr(PART_LIBRARIES[library], class_name)
            parts[part], report = part_class.from_pretrained(
                folder / part, output_loading_info=True, **options
            )
            _check_complete(checkpoint, f"{part}/config.json", report)
        pipeline = StableDiffusionPipeline.from_pretrained(folder, **options, **parts, **unchecked)
        if pipeline.unet.config.time_cond_proj_dim is not None:
            raise CheckpointError(
                f"--model {checkpoint.name} is distilled to take the guidance scale as an "
                "input (time_cond_proj_dim), which monetize does not support: use another one"
            )
        if scheduler is not None:
            config = dict(pipeline.scheduler.config)
            if scheduler == "pndm":
                # As in Stable Diffusion; the Runge-Kutta steps of PNDM fail with few steps.
                config.setdefault("skip_prk_steps", True)
            pipeline.scheduler = SCHEDULER_CLASSES[scheduler].from_config(config)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline


def complete_settings(checkpoint: Checkpoint, settings: PaintSettings) -> PaintSettings:
    """Fill in the checkpoint's own size, scheduler, steps and guidance where they are None.

    Reads only configuration files. A scheduler that has no name here stays None. Raises
    UsageError for a size that the checkpoint cannot paint.
    """
    vae = _read_json(checkpoint, "vae/config.json")
    unet = _read_json(checkpoint, "unet/config.json")
    scheduler = _read_json(checkpoint, "scheduler/scheduler_config.json").get("_class_name")
    channels = vae.get("block_out_channels")
    factor = 2 ** (len(channels) - 1) if channels else 8  # the pipeline's default
    # The pipeline demands a multiple of 8, whatever the decoder's factor.
    multiple = math.lcm(8, factor)
    size = settings.size or unet.get("sample_size", 64) * factor
    if size % multiple:
        lower = size // multiple * multiple
        raise UsageError(
            f"--size {size}: {checkpoint.name} paints sizes that are multiples of {multiple}, "
            f"such as {lower or 2 * multiple} or {lower + multiple}"
        )
    own = {kind.__name__: name for name, kind in SCHEDULER_CLASSES.items()}
    return replace(
        settings,
        size=size,
        scheduler=settings.scheduler or own.get(scheduler),
        num_inference_steps=settings.num_inference_steps or checkpoint.num_inference_steps,
        guidance_scale=(
            checkpoint.guidance_scale
            if settings.guidance_scale is None
            else settings.guidance_scale
        ),
    )


def _read_json(checkpoint: Checkpoint, name: str) -> dict[str, Any]:
    with _explained(checkpoint):
        values: dict[str, Any] = json.loads((checkpoint.folder / name).read_bytes())
    return values


def _check_complete(checkpoint: Checkpoint, config: str, report: dict[str, Any]) -> None:
    """Refuse a checkpoint with missing weights, which the loaders would fill with noise."""
    # ViT's pooler is never used, and some checkpoints do not have it.
    absent = sorted(key for key in report["missing_keys"] if "pooler" not in key)
    if absent:
        raise CheckpointError(
            f"{checkpoint.layout.flag} {checkpoint.name} has no weights for these layers of its "
            f"{config}: {name_some(absent)}. Download it again, or use another."
        )


@contextmanager
def _explained(checkpoint: Checkpoint) -> Iterator[None]:
    """Turn the errors of the loaders for damaged or foreign files into one message."""
    try:
        yield
    except (
        MemoryError,
        OSError,
        ValueError,
        AttributeError,
        KeyError,
        RuntimeError,
        EOFError,
        SafetensorError,
        pickle.UnpicklingError,
    ) as error:
        if ran_out_of_memory(error):
            raise CheckpointError(
                f"{checkpoint.layout.flag} {checkpoint.name} does not fit in the free memory of "
                "the device: stop other programs that use it, or use --device cpu"
            ) from error
        raise CheckpointError(
            f"{checkpoint.layout.flag} {checkpoint.name}: the files in {checkpoint.folder} "
            f"cannot be loaded: {first_line(error)} They may be damaged or incomplete: copy or "
            "download them again."
        ) from error
