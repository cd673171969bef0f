"""A diffusers folder of Stable Diffusion → one file in the key layout of CompVis's code."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}
UNET_ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
VAE_ATTENTION = {
    "group_norm": "norm",
    "to_q": "q",
    "to_k": "k",
    "to_v": "v",
    "to_out.0": "proj_out",
}


def unet_names(keys: Iterable[str], layers_per_block: int) -> dict[str, str]:
    """CompVis's names of a UNet's weights."""
    keys = list(keys)
    return {key: f"model.diffusion_model.{_unet_name(key, keys, layers_per_block)}" for key in keys}


def _unet_name(key: str, keys: list[str], layers: int) -> str:
    for ours, theirs in UNET_ENDS.items():
        if key.startswith(ours + "."):
            return theirs + key.removeprefix(ours)
    if match := re.fullmatch(r"mid_block\.(resnets|attentions)\.(\d)\.(.*)", key):
        kind, i, rest = match.groups()
        place = 1 if kind == "attentions" else 2 * int(i)
        return f"middle_block.{place}.{_resnet(rest) if kind == 'resnets' else rest}"
    match = re.fullmatch(r"(down|up)_blocks\.(\d)\.(\w+)\.(\d)\.(.*)", key)
    assert match, key
    way, block, kind, i, rest = match.groups()
    first = int(block) * (layers + 1) + (way == "down")
    side = "input_blocks" if way == "down" else "output_blocks"
    if kind == "downsamplers":
        return f"{side}.{first + layers}.0.op.{rest.removeprefix('conv.')}"
    if kind == "upsamplers":
        attends = any(each.startswith(f"up_blocks.{block}.attentions") for each in keys)
        return f"{side}.{first + layers}.{2 if attends else 1}.{rest}"
    if kind == "attentions":
        return f"{side}.{first + int(i)}.1.{rest}"
    return f"{side}.{first + int(i)}.0.{_resnet(rest)}"


def _resnet(rest: str) -> str:
    layer, _, end = rest.rpartition(".")
    return f"{RESNET[layer]}.{end}"


def vae_names(keys: Iterable[str], levels: int) -> dict[str, str]:
    """CompVis's names of a VAE's weights."""
    return {key: f"first_stage_model.{_vae_name(key, levels)}" for key in keys}


def _vae_name(key: str, levels: int) -> str:
    key = key.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
    key = re.sub(r"down_blocks\.(\d)\.resnets\.", r"down.\1.block.", key)
    key = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", key)
    key = re.sub(
        r"up_blocks\.(\d)\.resnets\.", lambda m: f"up.{levels - 1 - int(m[1])}.block.", key
    )
    key = re.sub(
        r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{levels - 1 - int(m[1])}.upsample", key
    )
    key = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", key)
    if "mid_block.attentions.0." in key:
        key = key.replace("mid_block.attentions.0.", "mid.attn_1.")
        for ours, theirs in VAE_ATTENTION.items():
            key = key.replace(f".{ours}.", f".{theirs}.")
    return key


def text_names(keys: Iterable[str]) -> dict[str, str]:
    """The names of a text encoder's weights in the files of CompVis."""
    return {
        key: f"cond_stage_model.transformer.text_model.{key.removeprefix('text_model.')}"
        for key in keys
    }


def original_weights(folder: Path) -> dict[str, Tensor]:
    """The weights of a diffusers folder under CompVis's names."""
    unet, vae, text = (
        load_file(next((folder / part).glob("*.safetensors")))
        for part in ("unet", "vae", "text_encoder")
    )
    layers = json.loads((folder / "unet" / "config.json").read_text())["layers_per_block"]
    levels = len(json.loads((folder / "vae" / "config.json").read_text())["block_out_channels"])
    weights = {
        **_renamed(unet, unet_names(unet, layers)),
        **_renamed(vae, vae_names(vae, levels)),
        **_renamed(text, text_names(text)),
    }
    for key, tensor in weights.items():
        if "mid.attn_1" in key and tensor.dim() == 2:  # it was a convolution of one pixel
            weights[key] = tensor[:, :, None, None]
    weights["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77)
    weights["alphas_cumprod"] = torch.ones(1000)
    return weights


def _renamed(weights: Mapping[str, Tensor], names: Mapping[str, str]) -> dict[str, Tensor]:
    return {names[key]: tensor for key, tensor in weights.items()}


def write_single_file(folder: Path, file: Path) -> Path:
    """Write a diffusers folder as a single file, .safetensors or .ckpt."""
    weights = original_weights(folder)
    if file.suffix == ".ckpt":
        torch.save({"state_dict": weights, "global_step": 1}, file)
    else:
        save_file({key: tensor.contiguous() for key, tensor in weights.items()}, file)
    return file
