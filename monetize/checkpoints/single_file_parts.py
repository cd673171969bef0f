"""The weights of a single file, in CompVis's key layout → the parts of a diffusers pipeline."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders.single_file_utils import (
    convert_ldm_clip_checkpoint,
    convert_ldm_unet_checkpoint,
    convert_ldm_vae_checkpoint,
)
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

from monetize.checkpoints.load_errors import explain_load_errors
from monetize.checkpoints.model_kinds import TEXT_ENCODER, UNET
from monetize.checkpoints.resolve import Checkpoint
from monetize.checkpoints.single_file import read_weights
from monetize.errors import CheckpointError

Weights = Mapping[str, Tensor]


def load_parts(
    checkpoint: Checkpoint, dtype: torch.dtype
) -> dict[str, tuple[nn.Module, list[str]]]:
    """Build UNet, VAE and text encoder, each with the names of its missing weights.

    Raises CheckpointError for weights of another shape and for a UNet with further layers.
    """
    assert checkpoint.file is not None
    weights = read_weights(checkpoint.layout.flag, checkpoint.file)
    with explain_load_errors(checkpoint):
        return {name: _load(checkpoint, name, weights, dtype) for name in CONVERSIONS}


def _load(
    checkpoint: Checkpoint, name: str, weights: Weights, dtype: torch.dtype
) -> tuple[nn.Module, list[str]]:
    with init_empty_weights():
        model = EMPTY[name](checkpoint.folder)
    converted = CONVERSIONS[name](weights, model.config)
    expected = model.state_dict()
    for key, tensor in converted.items():
        if key in expected and tensor.shape != expected[key].shape:
            raise _another_architecture(
                checkpoint,
                f"{key} of its {name} has the shape {tuple(tensor.shape)}, not "
                f"{tuple(expected[key].shape)}",
            )
        if key not in expected and name == "unet":
            raise _another_architecture(checkpoint, f"its unet has another layer: {key}")
    # Copies are aligned in memory wherever the file has them, and so give the same results.
    known = {
        key: tensor.to(dtype, copy=True) for key, tensor in converted.items() if key in expected
    }
    model.load_state_dict(known, strict=False, assign=True)
    return model.eval(), [key for key in expected if key not in known]


def _another_architecture(checkpoint: Checkpoint, why: str) -> CheckpointError:
    return CheckpointError(
        f"--model {checkpoint.name} is not Stable Diffusion v1: {why}. Use the checkpoint's folder "
        "in diffusers layout, which has its own configuration."
    )


def _empty_unet(folder: Path) -> Any:
    return UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(folder / "unet"))


def _empty_vae(folder: Path) -> Any:
    return AutoencoderKL.from_config(AutoencoderKL.load_config(folder / "vae"))


def _empty_text_encoder(folder: Path) -> Any:
    return CLIPTextModel(CLIPTextConfig.from_pretrained(folder / "text_encoder"))


def _unet(weights: Weights, config: Any) -> Weights:
    unet = {key: tensor for key, tensor in weights.items() if key.startswith(UNET)}
    converted: Weights = convert_ldm_unet_checkpoint(unet, dict(config))
    return converted


def _vae(weights: Weights, config: Any) -> Weights:
    converted: Weights = convert_ldm_vae_checkpoint(weights, dict(config))
    return converted


def _text_encoder(weights: Weights, _config: Any) -> Weights:
    text = {key: tensor for key, tensor in weights.items() if key.startswith(TEXT_ENCODER)}
    converted = convert_ldm_clip_checkpoint(text)
    return {key.removeprefix("text_model."): tensor for key, tensor in converted.items()}


EMPTY: dict[str, Callable[[Path], Any]] = {
    "unet": _empty_unet,
    "vae": _empty_vae,
    "text_encoder": _empty_text_encoder,
}
"""A model without data, by a folder of configuration files."""
CONVERSIONS: dict[str, Callable[[Weights, Any], Weights]] = {
    "unet": _unet,
    "vae": _vae,
    "text_encoder": _text_encoder,
}
"""diffusers' names for the weights of a model, by the file's weights and the model's config."""
