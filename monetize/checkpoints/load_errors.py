"""One message for whatever the libraries raise while they load a checkpoint."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monetize.checkpoints.file_contents import not_weights
from monetize.checkpoints.layout import WEIGHT_FILE
from monetize.checkpoints.resolve import Checkpoint, list_files
from monetize.errors import CheckpointError, MonetizeError
from monetize.interruption import raise_if_interrupted
from monetize.messages import first_line


@contextmanager
def explain_load_errors(checkpoint: Checkpoint) -> Iterator[None]:
    """Turn the errors of the libraries for damaged or foreign files into a CheckpointError.

    The files can make the libraries raise anything, so only their calls belong in such a block.
    """
    name = f"{checkpoint.layout.flag} {checkpoint.name}"
    try:
        yield
    except MonetizeError:
        raise
    except Exception as error:
        raise_if_interrupted(error)
        for file in _weight_files(checkpoint):
            if found := not_weights(file):
                raise CheckpointError(f"{name}: {file} cannot be read: {found}") from error
        # It imports torch, which takes seconds that a tokenizer does not need.
        from monetize.devices import ran_out_of_memory

        if ran_out_of_memory(error):
            raise CheckpointError(
                f"{name} does not fit in the free memory of the device: stop other programs that "
                "use it, or use --device cpu"
            ) from error
        if "trust_remote_code" in str(error):
            raise CheckpointError(
                f"{name} needs program code from its folder {checkpoint.folder}, which monetize "
                "never runs: use a checkpoint that transformers supports by itself"
            ) from error
        why = first_line(error) or type(error).__name__
        raise CheckpointError(
            f"{name}: the files in {checkpoint.weights_path} cannot be loaded: {why} They may be "
            "damaged or incomplete: copy or download them again."
        ) from error


def _weight_files(checkpoint: Checkpoint) -> list[Path]:
    """The files of weights in a checkpoint's folder that it loads."""
    files = checkpoint.layout.select(list_files(checkpoint.folder), checkpoint.variant)
    return [checkpoint.folder / name for name in files if WEIGHT_FILE.fullmatch(Path(name).name)]
