"""Textual inversions: the token that each stands for in a prompt, and its vectors.

Imports no torch to find one in a .safetensors file.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monetize.adapters import Embedding
from monetize.checkpoints.configs import read_config
from monetize.checkpoints.model_kinds import unlike
from monetize.checkpoints.resolve import Checkpoint
from monetize.checkpoints.single_file import explain_file_errors, read_shapes, unpickled
from monetize.digests import sha256_of
from monetize.errors import CheckpointError, UsageError
from monetize.messages import printable
from monetize.prompts.tokens import vector_token

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import CLIPTextModel, CLIPTokenizer

FLAG = "--embedding"
SUFFIXES = (".safetensors", ".pt", ".bin")
# Of AUTOMATIC1111's web UI, in either format; it calls an embedding by the name of its file.
WEB_UI_KEY, WEB_UI_TABLE = "emb_params", "string_to_param"
MAX_VECTORS = 75  # what a prompt of CLIP has room for


@dataclass(frozen=True)
class EmbeddingFile:
    """A textual inversion on this machine: so many vectors of this width stand for the token."""

    name: str
    file: Path
    token: str
    count: int
    width: int

    @cached_property
    def revision(self) -> str:
        """A digest of the file."""
        return f"sha256:{sha256_of(self.file)}"

    @property
    def identity(self) -> str:
        """What a painting depends on: a short digest, and the token."""
        return f"{self.token}={self.revision[:19]}"

    @property
    def tokens(self) -> list[str]:
        """The tokenizer's entry for each vector; only the first is written in prompts."""
        return [vector_token(self.token, i) for i in range(self.count)]

    def vectors(self) -> "Tensor":
        """Read the vectors, shape = (count, width)."""
        [vectors] = _tensors(self.file).values()
        return vectors.detach().reshape(self.count, self.width)


def resolve_embeddings(embeddings: Sequence[Embedding]) -> tuple[EmbeddingFile, ...]:
    """Find the files, and the token of each.

    Raises UsageError for files that are missing and for a token given twice, and CheckpointError
    for files that are no textual inversion for Stable Diffusion v1.
    """
    found = tuple(map(_resolve, embeddings))
    folded = [each.token.casefold() for each in found]
    for each, token in zip(found, folded, strict=True):
        if folded.count(token) > 1:
            raise UsageError(
                f"{FLAG}: two files have the token {each.token!r}: give one of them another with "
                f"{FLAG} FILE=TOKEN"
            )
    return found


def _resolve(embedding: Embedding) -> EmbeddingFile:
    name = f"{FLAG} {printable(embedding.file)}"
    path = Path(os.path.expanduser(embedding.file))  # noqa: PTH111 - Path.expanduser fails for an unknown user
    if path.is_dir():
        raise UsageError(f"{name} is a folder: give the file in it")
    if not path.is_file():
        raise UsageError(f"{name}: no such file")
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{name}: not a file of the kind {', '.join(SUFFIXES)}")
    shapes = _shapes(path)
    if "clip_g" in shapes:
        raise CheckpointError(
            f"{name} is for Stable Diffusion XL; monetize paints with Stable Diffusion v1"
        )
    [key, *others] = shapes or ("",)
    shape = (1, *shapes.get(key, ()))[-2:]
    if others or "." in key.strip(".") or len(shapes.get(key, ())) not in (1, 2):
        raise CheckpointError(f"{name} {unlike(shapes, 'a textual inversion of one token')}")
    if not 0 < shape[0] <= MAX_VECTORS:
        raise CheckpointError(
            f"{name} has {shape[0]} vectors; a prompt has room for {MAX_VECTORS} at most"
        )
    token = embedding.token or (path.stem if key in (WEB_UI_KEY, "*") else key)
    if not token or re.search(r"\s", token):
        raise UsageError(
            f"{name}: its token {token!r} has a space: give another with {FLAG} FILE=TOKEN"
        )
    return EmbeddingFile(embedding.file, path, token, *shape)


def _shapes(path: Path) -> Mapping[str, tuple[int, ...]]:
    if path.suffix.lower() == ".safetensors":
        return read_shapes(FLAG, path)
    return {key: tuple(tensor.shape) for key, tensor in _tensors(path).items()}


def _tensors(path: Path) -> "Mapping[str, Tensor]":
    with explain_file_errors(FLAG, path):
        if path.suffix.lower() == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        import torch

        content: Any = unpickled(path)
        table = content.get(WEB_UI_TABLE)
        if isinstance(table, Mapping):
            content = {f"{WEB_UI_KEY}{i or ''}": each for i, each in enumerate(table.values())}
        return {
            str(key): value for key, value in content.items() if isinstance(value, torch.Tensor)
        }


def check_widths(checkpoint: Checkpoint) -> None:
    """Raise CheckpointError for embeddings of another width than the text encoder's."""
    width = read_config(checkpoint, "text_encoder/config.json").get("hidden_size")
    for each in checkpoint.embeddings:
        if each.width != width:
            raise CheckpointError(
                f"{FLAG} {printable(each.name)} has vectors of {each.width} numbers, and the text "
                f"encoder of {checkpoint.name} takes {width}: it was made for another model"
            )


def add_tokens(tokenizer: "CLIPTokenizer", embeddings: Sequence[EmbeddingFile]) -> None:
    """Let a tokenizer know the tokens, as whole words in any case.

    Raises UsageError for a token that it has already.
    """
    from transformers import AddedToken

    for embedding in embeddings:
        known = tokenizer.get_vocab()
        token = embedding.token
        if {*embedding.tokens, token.lower(), f"{token.lower()}</w>"} & known.keys():
            raise UsageError(
                f"{FLAG} {printable(embedding.name)}: the model has a token of its own for "
                f"{token!r}: give another with {FLAG} FILE=TOKEN"
            )
        tokenizer.add_tokens(
            [AddedToken(each, single_word=True, normalized=True) for each in embedding.tokens]
        )


def add_vectors(
    text_encoder: "CLIPTextModel", tokenizer: "CLIPTokenizer", embeddings: Sequence[EmbeddingFile]
) -> None:
    """Give a text encoder on the CPU the vectors of a tokenizer's added tokens."""
    import torch

    if len(tokenizer) > text_encoder.config.vocab_size:
        text_encoder.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    rows = text_encoder.get_input_embeddings().weight
    for embedding in embeddings:
        vectors = embedding.vectors()
        if not torch.isfinite(vectors).all():
            raise CheckpointError(
                f"{FLAG} {printable(embedding.name)}: its vectors are not finite numbers. The file "
                "may be damaged: copy or download it again."
            )
        with torch.no_grad():
            rows[tokenizer.convert_tokens_to_ids(embedding.tokens)] = vectors.to(rows.dtype)
