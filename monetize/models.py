"""Checkpoints → loaded Hugging Face objects, on a device and in a precision."""

import json
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
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

from monetize.checkpoints import Checkpoint, list_files
from monetize.errors import CheckpointError, UsageError, name_some
from monetize.settings import DeviceSettings

SCHEDULER_CLASSES = {
    "pndm": PNDMScheduler,
    "lms": LMSDiscreteScheduler,
    "ddim": DDIMScheduler,
    "dpm++": DPMSolverMultistepScheduler,
    "unipc": UniPCMultistepScheduler,
}


@dataclass(frozen=True)
class Placement:
    """The device and the precision that models are loaded in."""

    device: torch.device
    dtype: torch.dtype

    @property
    def half(self) -> bool:
        """Whether the weights take two bytes a number."""
        return self.dtype.itemsize == 2

    def __str__(self) -> str:
        name = str(self.device)
        if self.device.type == "cuda":
            name += f" ({torch.cuda.get_device_name(self.device)})"
        return f"{name}, {str(self.dtype).removeprefix('torch.')}"


def place(settings: DeviceSettings) -> Placement:
    """Choose device and precision; raises UsageError for a device that is not there."""
    name = settings.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"--device {name}: torch {torch.__version__} cannot use such a device here ({reason}); "
            "--device cpu always works"
        ) from None
    if settings.dtype == "auto":
        return Placement(device, torch.float16 if device.type == "cuda" else torch.float32)
    return Placement(device, getattr(torch, settings.dtype))


def load_captioning_model(
    checkpoint: Checkpoint, placement: Placement
) -> tuple[VisionEncoderDecoderModel, BaseImageProcessor, PreTrainedTokenizerBase]:
    """Load a captioner's model, image processor and tokenizer."""
    folder = checkpoint.folder
    kind = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
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
    # What a checkpoint lacks is filled with noise; only the pooler is never used.
    absent = [key for key in report["missing_keys"] if "pooler" not in key]
    if absent:
        raise CheckpointError(
            f"--captioner {checkpoint.name} lacks weights that its config.json calls for: "
            f"{name_some(absent)}."
        )
    return model.to(placement.device).eval(), image_processor, tokenizer


def load_painting_pipeline(
    checkpoint: Checkpoint,
    placement: Placement,
    *,
    scheduler: str | None = None,
    safety_checker: bool = False,
) -> StableDiffusionPipeline:
    """Load a Stable Diffusion pipeline; scheduler None keeps the checkpoint's own."""
    folder = checkpoint.folder
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    if index.get("_class_name") != StableDiffusionPipeline.__name__:
        raise CheckpointError(
            f"--model {checkpoint.name} is a {index.get('_class_name')}; "
            f"monetize paints with checkpoints of the {StableDiffusionPipeline.__name__}."
        )
    unchecked = {} if safety_checker else {"safety_checker": None, "requires_safety_checker": False}
    with _explained(checkpoint):
        pipeline = StableDiffusionPipeline.from_pretrained(
            folder,
            dtype=placement.dtype,
            variant=checkpoint.layout.variant(list_files(folder), half=placement.half),
            local_files_only=True,
            **unchecked,
        )
    if scheduler is not None:
        pipeline.scheduler = SCHEDULER_CLASSES[scheduler].from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(placement.device)


@contextmanager
def _explained(checkpoint: Checkpoint) -> Iterator[None]:
    """Turn what the loaders raise for damaged or foreign files into one message."""
    try:
        yield
    except (
        OSError,
        ValueError,
        KeyError,
        RuntimeError,
        EOFError,
        SafetensorError,
        pickle.UnpicklingError,
    ) as error:
        raise CheckpointError(
            f"{checkpoint.layout.flag} {checkpoint.name}: the files in {checkpoint.folder} "
            f"cannot be loaded: {error}"
        ) from error
