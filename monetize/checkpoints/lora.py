"""Finding a LoRA: a file, a folder or a hub id with one; imports no torch for .safetensors."""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from monetize.adapters import Lora
from monetize.checkpoints import hub
from monetize.checkpoints.configs import read_config
from monetize.checkpoints.model_kinds import BY_TEXT_FEATURES, Shapes, refusal, unlike
from monetize.checkpoints.resolve import Checkpoint, Say, list_files
from monetize.checkpoints.single_file import read_shapes
from monetize.digests import sha256_of
from monetize.errors import CheckpointError, UsageError
from monetize.messages import name_some, printable

FLAG = "--lora"
PICKLES = (".ckpt", ".pt", ".pth", ".bin")
USUAL_NAME = "pytorch_lora_weights.safetensors"
# Parts of the names of tensors, and what has them.
OTHER_MODELS = (
    ("lora_te2_", "Stable Diffusion XL"),
    ("text_encoder_2.", "Stable Diffusion XL"),
    ("double_blocks", "Flux"),
    ("single_transformer_blocks", "Flux"),
    ("joint_blocks", "Stable Diffusion 3"),
    ("joint_transformer_blocks", "Stable Diffusion 3"),
)
TAKES_TEXT = re.compile(r"attn2.*to_[kv].*(lora_down|lora\.down|lora_A)")
OTHER_METHODS = (
    ("hada_w", "LoHa"),
    ("lokr_", "LoKr"),
    ("oft_", "OFT"),
    ("dora_scale", "DoRA"),
    ("lora_magnitude_vector", "DoRA"),
    ("lora_mid", "Tucker"),
)


@dataclass(frozen=True)
class LoraFile:
    """The file of a LoRA on this machine, and the factor to apply it by.

    `text_features` is the width of the text that its layers take, 0 if it has no such layer.
    """

    name: str
    file: Path
    scale: float
    text_features: int = 0

    @cached_property
    def revision(self) -> str:
        """A digest of the file."""
        return f"sha256:{sha256_of(self.file)}"

    @property
    def identity(self) -> str:
        """What a painting depends on: a short digest, and the scale."""
        return f"{self.revision[:19]}={self.scale!r}"


def resolve_lora(lora: Lora, *, offline: bool = False, say: Say = print) -> LoraFile:
    """Find the file of a LoRA, and check that it is one for Stable Diffusion v1.

    Downloads only what is not in the hub's cache, and nothing if offline. Raises UsageError for
    what is not there, and CheckpointError.
    """
    file = _file(lora.source, offline, say)
    shapes = read_shapes(FLAG, file)
    _check(lora.source, shapes)
    return LoraFile(lora.source, file, lora.scale, max(_text_features(shapes), default=0))


def check_text_features(checkpoint: Checkpoint) -> None:
    """Raise CheckpointError for LoRAs that take text of another width than the UNet does."""
    width = read_config(checkpoint, "unet/config.json").get("cross_attention_dim")
    for lora in checkpoint.loras:
        if lora.text_features not in (0, width):
            raise CheckpointError(
                f"{FLAG} {printable(lora.name)} does not fit {checkpoint.name}: it takes text of "
                f"{lora.text_features} features, and the unet takes {width}. It was made for "
                "another model."
            )


def _file(source: str, offline: bool, say: Say) -> Path:
    path = Path(os.path.expanduser(source))  # noqa: PTH111 - Path.expanduser fails for an unknown user
    if path.is_file():
        if path.suffix.lower() not in (".safetensors", *PICKLES):
            raise UsageError(f"{FLAG} {source}: not a .safetensors file")
        return path
    if path.is_dir():
        return path / _only(source, [each.name for each in path.iterdir()])
    repo_id, _, revision = source.partition("@")
    is_file_name = repo_id.lower().endswith((".safetensors", *PICKLES))
    if is_file_name or not re.fullmatch(r"[\w.-]+/[\w.-]+", repo_id) or repo_id.startswith("."):
        raise UsageError(f"{FLAG} {source}: no such file or folder, and not a hub id (OWNER/NAME)")
    return _from_hub(repo_id, revision or "main", offline, say)


def _from_hub(repo_id: str, revision: str, offline: bool, say: Say) -> Path:
    folder = hub.cached_snapshot(repo_id, revision)
    if folder is None or not any(_is_lora_name(name) for name in list_files(folder)):
        alternatives = f"Download its .safetensors on a connected machine, and use {FLAG} FILE."
        if offline:
            raise CheckpointError(
                f"{repo_id} is not on this machine, and --offline does not allow downloading it. "
                f"{alternatives}"
            )

        def select(files: list[str]) -> Iterable[str]:
            return [_only(repo_id, files)]

        folder = hub.download(repo_id, revision, select, say, alternatives)
    return folder / _only(repo_id, list_files(folder))


def _only(source: str, files: Sequence[str]) -> str:
    """Return the name of the one LoRA among files; raises CheckpointError."""
    names = sorted(name for name in files if _is_lora_name(name))
    if USUAL_NAME in names:
        return USUAL_NAME
    if len(names) != 1:
        found = f"several: {name_some(names)}" if names else "none"
        raise CheckpointError(
            f"{FLAG} {source}: one .safetensors file is needed, and it has {found}. Give the file."
        )
    return names[0]


def _is_lora_name(name: str) -> bool:
    return name.endswith(".safetensors") and "/" not in name


def _check(source: str, shapes: Shapes) -> None:
    """Raise CheckpointError unless these are the weights of a LoRA for Stable Diffusion v1."""
    name = f"{FLAG} {printable(source)}"
    for mark, method in OTHER_METHODS:
        if any(mark in key for key in shapes):
            raise CheckpointError(f"{name} is of the kind {method}; only plain LoRAs are supported")
    refused = refusal(shapes)
    if refused is None or "LoRA" not in refused.kind:
        raise CheckpointError(f"{name} {unlike(shapes, 'a LoRA')}")
    for mark, model in OTHER_MODELS:
        if any(mark in key for key in shapes):
            raise _for_another(name, model)
    for features in _text_features(shapes):
        if features in BY_TEXT_FEATURES:
            raise _for_another(name, BY_TEXT_FEATURES[features])


def _text_features(shapes: Shapes) -> list[int]:
    return [shape[1] for key, shape in shapes.items() if TAKES_TEXT.search(key) and len(shape) > 1]


def _for_another(name: str, model: str) -> CheckpointError:
    return CheckpointError(f"{name} is for {model}; monetize paints with Stable Diffusion v1")
