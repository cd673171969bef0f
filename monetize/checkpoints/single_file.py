"""Reading checkpoints that are one file: .safetensors, or .ckpt without running its code."""

import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monetize.checkpoints.file_contents import not_weights
from monetize.checkpoints.model_kinds import UNET, UNKNOWN, Shapes, refusal
from monetize.errors import CheckpointError, MonetizeError
from monetize.file_errors import explain_read_errors
from monetize.interruption import raise_if_interrupted
from monetize.messages import first_line, printable

if TYPE_CHECKING:
    from torch import Tensor

SUFFIXES = (".safetensors", ".ckpt")
CONFIGS = Path(__file__).parent / "sd_v1"
"""The configuration of Stable Diffusion v1 and CLIP's tokenizer, missing from a single file."""
AVERAGED = "model_ema."
# The files of CompVis name this class of their trainer as a key of a table.
TRAINER_CLASS = "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint"


def check_single_file(flag: str, path: Path, say: Callable[[str], None]) -> None:
    """Raise CheckpointError unless a file is a checkpoint of Stable Diffusion v1.

    Reads only names and shapes. `say` reports weights in it that are not used.
    """
    name = f"{flag} {printable(path)}"
    shapes = read_shapes(flag, path)
    refused = refusal(shapes)
    if refused is UNKNOWN:
        raise CheckpointError(
            f"{name} is {UNKNOWN.kind} v1: none of its weights has a name that starts with {UNET}"
        )
    if refused is not None:
        raise CheckpointError(
            f"{name} is {refused.kind}; monetize paints with Stable Diffusion v1: "
            f"{refused.way_out}."
        )
    if any(key.startswith(AVERAGED) for key in shapes):
        say(f"{printable(path.name)}: its averaged weights (EMA) are not used, as by other tools")


def read_shapes(flag: str, path: Path) -> Shapes:
    """Read the names and shapes of a file's tensors; raises CheckpointError."""
    with explain_file_errors(flag, path):
        if path.suffix.lower() == ".safetensors":
            from safetensors import safe_open

            with safe_open(path, "np") as file:
                return {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
        return {key: tuple(tensor.shape) for key, tensor in _state_dict(path).items()}


def read_weights(flag: str, path: Path) -> "dict[str, Tensor]":
    """Read a file's tensors; raises CheckpointError."""
    with explain_file_errors(flag, path):
        if path.suffix.lower() == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        return _state_dict(path)


class _Trainer:
    """Stands in for the trainer's class, in a table that is not used."""


def unpickled(path: Path) -> Any:
    """Read a pickle of torch: only tensors and plain values, as the rest could be any program."""
    import torch

    with torch.serialization.safe_globals([(_Trainer, TRAINER_CLASS)]):
        return torch.load(
            path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path)
        )


def _state_dict(path: Path) -> "dict[str, Tensor]":
    import torch

    content = unpickled(path)
    while isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping):
        raise ValueError("it is not a table of weights")
    return {str(key): value for key, value in content.items() if isinstance(value, torch.Tensor)}


@contextmanager
def explain_file_errors(flag: str, path: Path) -> Iterator[None]:
    """Turn whatever a damaged file makes a library raise into a CheckpointError."""
    name = f"{flag} {printable(path)}"
    try:
        with explain_read_errors(path, CheckpointError), path.open("rb"):
            pass
        yield
    except MonetizeError:
        raise
    except Exception as error:
        raise_if_interrupted(error)
        import pickle

        if found := not_weights(path):
            raise CheckpointError(f"{name} cannot be read: {found}") from error

        if isinstance(error, pickle.UnpicklingError):
            raise CheckpointError(
                f"{name} cannot be read: it is damaged, or holds more than weights, which may be a "
                "program and is not loaded. Use the .safetensors of the same checkpoint, or "
                "download it again."
            ) from error
        why = first_line(error) or "it ends too early"
        if " " not in why:  # such as the key of a KeyError
            why = f"it is not a file of weights ({type(error).__name__}: {why})"
        raise CheckpointError(
            f"{name} cannot be read: {why}. It may be damaged or incomplete: copy or download it "
            "again."
        ) from error
