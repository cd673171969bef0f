"""LoRAs with random matrices for a pipeline, in the forms that files have."""

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file
from torch import Tensor, nn

RANK = 2
UNET_LAYERS = ("attn2.to_v", "attn1.to_q", "to_out.0", "proj_in", "ff.net.0.proj", "conv1")
TEXT_LAYERS = ("q_proj", "fc1")
Matrices = dict[tuple[str, str], tuple[Tensor, Tensor]]


def matrices(pipeline: StableDiffusionPipeline, seed: int = 0) -> Matrices:
    """A and B of some layers, by part and name."""
    generator = torch.Generator().manual_seed(seed)
    found: Matrices = {}
    for part, ends in (("unet", UNET_LAYERS), ("text_encoder", TEXT_LAYERS)):
        for name, module in getattr(pipeline, part).named_modules():
            if name.endswith(ends) and isinstance(module, nn.Linear | nn.Conv2d):
                out, *shape = module.weight.shape
                ones = [1] * (len(shape) - 1)
                down = torch.randn(RANK, *shape, generator=generator) / 4
                found[part, name] = (down, torch.randn(out, RANK, *ones, generator=generator) / 4)
    return found


def kohya(found: Matrices, alpha: float | None = 1.0) -> dict[str, Tensor]:
    """The names of kohya's trainer, as most files of the community have them."""
    prefixes = {"unet": "lora_unet_", "text_encoder": "lora_te_text_model_"}
    weights: dict[str, Tensor] = {}
    for (part, name), (down, up) in found.items():
        layer = prefixes[part] + name.replace(".", "_")
        weights |= {f"{layer}.lora_down.weight": down, f"{layer}.lora_up.weight": up}
        if alpha is not None:
            weights[f"{layer}.alpha"] = torch.tensor(alpha)
    return weights


def peft(found: Matrices) -> dict[str, Tensor]:
    """The names that diffusers writes today."""
    prefixes = {"unet": "unet.", "text_encoder": "text_encoder.text_model."}
    return {
        f"{prefixes[part]}{name}.lora_{side}.weight": matrix
        for (part, name), pair in found.items()
        for side, matrix in zip("AB", pair, strict=True)
    }


def diffusers(found: Matrices) -> dict[str, Tensor]:
    """The names that diffusers wrote before, of attention processors and linear layers."""
    weights = {}
    for (part, name), pair in found.items():
        for side, matrix in zip(("down", "up"), pair, strict=True):
            if part == "text_encoder":
                key = f"text_encoder.text_model.{name}.lora_linear_layer.{side}.weight"
            elif ".attn" in name:
                block, _, projection = name.partition(".to_")
                projection = "to_" + projection.removesuffix(".0")
                key = f"unet.{block}.processor.{projection}_lora.{side}.weight"
            else:
                key = f"unet.{name}.lora.{side}.weight"
            weights[key] = matrix
    return weights


FORMS: Mapping[str, Callable[[Matrices], dict[str, Tensor]]] = {
    "kohya": lambda found: kohya(found, alpha=None),
    "peft": peft,
    "diffusers": diffusers,
}


def write_lora(
    file: Path, weights: Mapping[str, Tensor], metadata: dict[str, str] | None = None
) -> Path:
    save_file({key: each.contiguous() for key, each in weights.items()}, file, metadata=metadata)
    return file
