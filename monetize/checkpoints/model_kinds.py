"""What a file of weights is, by the names and shapes of its tensors."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Shapes = Mapping[str, tuple[int, ...]]

UNET = "model.diffusion_model."
VAE = ("first_stage_model.", "vae.")
# Of a VAE's own file, in CompVis's and in diffusers' layout; other models have encoders as well.
VAE_ALONE = ("encoder.conv_in.", "decoder.conv_in.", "encoder.down", "decoder.up")
VIT = "encoder.embeddings.patch_embeddings."
TEXT_ENCODER = "cond_stage_model.transformer."
FIRST_LAYER = UNET + "input_blocks.0.0.weight"
OTHER_FOLDERS = "use a checkpoint of Stable Diffusion v1"
# Parts of the names of tensors; the first that a file has counts.
MARKS: tuple[tuple[str, str, str], ...] = (
    ("lora_down", "a LoRA", "give it to --lora, with --model for the checkpoint"),
    ("lora.down", "a LoRA", "give it to --lora, with --model for the checkpoint"),
    ("lora_A", "a LoRA", "give it to --lora, with --model for the checkpoint"),
    ("lora_linear_layer", "a LoRA", "give it to --lora, with --model for the checkpoint"),
    ("hada_w1", "a LoHa", "use a LoRA with --lora"),
    ("lokr_w", "a LoKr", "use a LoRA with --lora"),
    ("emb_params", "a textual inversion", "give it to --embedding"),
    ("string_to_param", "a textual inversion", "give it to --embedding"),
    ("control_model.", "a ControlNet", OTHER_FOLDERS),
    ("controlnet_cond_embedding", "a ControlNet", OTHER_FOLDERS),
    ("motion_modules.", "an AnimateDiff motion module", OTHER_FOLDERS),
    ("double_blocks.", "Flux", OTHER_FOLDERS),
    ("joint_blocks.", "Stable Diffusion 3", OTHER_FOLDERS),
    ("conditioner.embedders.1.", "Stable Diffusion XL", OTHER_FOLDERS),
    ("conditioner.embedders.0.model.", "the refiner of Stable Diffusion XL", OTHER_FOLDERS),
    ("conditioner.", "Stable Diffusion XL", OTHER_FOLDERS),
    ("cond_stage_model.model.", "Stable Diffusion 2", OTHER_FOLDERS),
    ("v_pred", "a model that predicts velocity (v_pred)", OTHER_FOLDERS),
)
# By the channels that the first layer takes.
BY_CHANNELS = {
    5: "a depth-to-image model",
    7: "an upscaler",
    8: "InstructPix2Pix",
    9: "an inpainting model",
}
# By the features of text that the first cross-attention takes.
BY_TEXT_FEATURES = {1024: "Stable Diffusion 2", 2048: "Stable Diffusion XL"}
MISSING_PART = "use the full file of the checkpoint, or its folder in diffusers layout"


@dataclass(frozen=True)
class Refusal:
    """Why a file is not a checkpoint of Stable Diffusion v1, and what to do instead."""

    kind: str
    way_out: str


UNKNOWN = Refusal("not a checkpoint of Stable Diffusion", OTHER_FOLDERS)


def refusal(shapes: Shapes) -> Refusal | None:
    """Return why a file cannot be painted with; None for Stable Diffusion v1."""
    for mark, kind, way_out in MARKS:
        if any(mark in name for name in shapes):
            return Refusal(kind, way_out)
    if not _any_starts(shapes, UNET):
        return _without_unet(shapes)
    first = shapes.get(FIRST_LAYER, ())
    channels = first[1] if len(first) == 4 else 4
    if channels != 4:
        kind = BY_CHANNELS.get(channels, f"a model of images with {channels} channels")
        return Refusal(kind, OTHER_FOLDERS)
    for name, shape in shapes.items():
        features = shape[1] if name.endswith("attn2.to_k.weight") and len(shape) == 2 else 0
        if features in BY_TEXT_FEATURES:
            return Refusal(BY_TEXT_FEATURES[features], OTHER_FOLDERS)
    if not _any_starts(shapes, *VAE):
        return Refusal("a checkpoint without its VAE (first_stage_model)", MISSING_PART)
    if not _any_starts(shapes, TEXT_ENCODER):
        return Refusal("a checkpoint without its text encoder (cond_stage_model)", MISSING_PART)
    return None


def _without_unet(shapes: Shapes) -> Refusal:
    if _any_starts(shapes, "down_blocks.", "time_embedding."):
        return Refusal("only the UNet of a diffusers checkpoint", "give its whole folder")
    if _any_starts(shapes, *VAE, *VAE_ALONE):
        return Refusal("only a VAE", MISSING_PART)
    if _any_starts(shapes, VIT) and _any_starts(shapes, "decoder."):
        return Refusal("a captioner", "give its folder to --captioner")
    has_text = _any_starts(shapes, "text_model.", TEXT_ENCODER)
    if has_text and not _any_starts(shapes, "vision_model."):
        return Refusal("only a text encoder", MISSING_PART)
    return UNKNOWN


def unlike(shapes: Shapes, wanted: str) -> str:
    """Say that a file is not what is wanted and, if known, what it is and which flag takes it."""
    refused = refusal(shapes)
    if refused is None:
        return f"is a checkpoint of Stable Diffusion v1, not {wanted}: give it to --model"
    if refused is UNKNOWN or wanted.startswith(refused.kind):
        return f"is not {wanted}"
    hint = f": {refused.way_out}" if "--" in refused.way_out else ""
    return f"is {refused.kind}, not {wanted}{hint}"


def _any_starts(names: Iterable[str], *prefixes: str) -> bool:
    return any(name.startswith(prefixes) for name in names)
