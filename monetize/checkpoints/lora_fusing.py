"""LoRAs → the weights of UNet and text encoder: W + scale · α/r · B A, in float32.

Fused, a LoRA costs nothing while painting, and every layer stays the module that hooks, compilation
and the shared prefix know. Each name in the file must belong to a layer of the model: diffusers
0.42.1 leaves out what it cannot place, which with transformers 5.23 is the text encoder's attention
of the usual files.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

import torch
from safetensors import safe_open
from torch import nn

from monetize.checkpoints.lora import FLAG, LoraFile
from monetize.checkpoints.lora_names import Factors, Target, match_layers
from monetize.checkpoints.resolve import Checkpoint
from monetize.checkpoints.single_file import explain_file_errors, read_weights
from monetize.errors import CheckpointError
from monetize.messages import name_some, printable

METADATA = "lora_adapter_metadata"  # of diffusers: the configuration of peft, as JSON


@torch.no_grad()
def fuse_lora(checkpoint: Checkpoint, lora: LoraFile, parts: Mapping[str, nn.Module]) -> None:
    """Add a LoRA to the weights of the parts `unet` and `text_encoder`, which are on the CPU.

    Raises CheckpointError for names, shapes and numbers that do not fit the model.
    """
    weights = read_weights(FLAG, lora.file)
    with explain_file_errors(FLAG, lora.file):
        layers, unknown = match_layers(weights, parts)
        if unknown or not layers:
            names = name_some(unknown) or "no layer"
            raise _misfit(checkpoint, lora, f"it has weights for {names}")
        alphas = _Alphas(lora)
        for target, factors in layers:
            _fuse(checkpoint, lora, target, factors, alphas)


def _fuse(
    checkpoint: Checkpoint, lora: LoraFile, target: Target, factors: Factors, alphas: "_Alphas"
) -> None:
    weight, down, up = target.weight, factors.down, factors.up
    if down is None or up is None:
        raise _misfit(checkpoint, lora, f"{target.name} has only one of its two matrices")
    down, up = down.float().flatten(1), up.float().flatten(1)
    rank = len(down)
    if (up.shape[0], down.shape[1]) != tuple(weight.flatten(1).shape) or up.shape[1] != rank:
        raise _misfit(
            checkpoint,
            lora,
            f"its matrices {tuple(up.shape)} and {tuple(down.shape)} for {target.name} do not "
            f"make {tuple(weight.shape)}",
        )
    change = lora.scale * alphas.scaling(target, factors.alpha, rank) * (up @ down)
    if not torch.isfinite(change).all():
        raise CheckpointError(
            f"{FLAG} {printable(lora.name)}: the weights of {target.name} are not finite numbers. "
            "The file may be damaged: copy or download it again."
        )
    target.module.weight.data = (weight.float() + change.view_as(weight)).to(weight.dtype)


def _misfit(checkpoint: Checkpoint, lora: LoraFile, why: str) -> CheckpointError:
    return CheckpointError(
        f"{FLAG} {printable(lora.name)} does not fit {checkpoint.name}: {why}. It was made for "
        "another model, or in a form that is not supported."
    )


class _Alphas:
    """How strongly each layer of a LoRA acts: α/r, by its tensors or by diffusers' metadata."""

    def __init__(self, lora: LoraFile) -> None:
        self._settings: dict[str, Any] = {}
        if lora.file.suffix.lower() == ".safetensors":
            with safe_open(lora.file, "pt") as file:
                text = (file.metadata() or {}).get(METADATA)
            settings = _parsed(text) if text else {}
            self._settings = settings if isinstance(settings, dict) else {}

    def scaling(self, target: Target, alpha: float | None, rank: int) -> float:
        """The factor of a layer; without any α it is 1."""
        if alpha is None:
            alpha = self._alpha(target)
        divisor = math.sqrt(rank) if self._settings.get(f"{target.part}.use_rslora") else rank
        return 1.0 if alpha is None else alpha / divisor

    def _alpha(self, target: Target) -> float | None:
        patterns = self._settings.get(f"{target.part}.alpha_pattern") or {}
        for pattern, value in patterns.items():
            name = pattern.removeprefix("^").removeprefix("text_model.")
            if target.name == name or target.name.endswith(f".{name}"):
                return float(value)
        alpha = self._settings.get(f"{target.part}.lora_alpha")
        return None if alpha is None else float(alpha)


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return {}
