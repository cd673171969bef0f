"""A painter's tokenizer, loaded on its own."""

from functools import cache

from transformers import CLIPTokenizer

from monetize.checkpoints.resolve import Checkpoint
from monetize.errors import CheckpointError
from monetize.messages import first_line


@cache  # A command needs it for the prompts, long before the pipeline, and in the pipeline.
def load_tokenizer(checkpoint: Checkpoint) -> CLIPTokenizer:
    """Load a painter's tokenizer and nothing else; raises CheckpointError."""
    folder = checkpoint.folder / "tokenizer"
    try:
        return CLIPTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"the tokenizer in {folder} cannot be loaded: {first_line(error)}"
        ) from error
