"""Loading a painter's tokenizer."""

from functools import cache

from transformers import CLIPTokenizer

from monetize.checkpoints.resolve import Checkpoint
from monetize.errors import CheckpointError
from monetize.messages import first_line


@cache  # Commands need it before the pipeline, and the pipeline again.
def load_tokenizer(checkpoint: Checkpoint) -> CLIPTokenizer:
    """Load only a painter's tokenizer; raises CheckpointError."""
    folder = checkpoint.folder / "tokenizer"
    try:
        return CLIPTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"the tokenizer in {folder} cannot be loaded: {first_line(error)}"
        ) from error
