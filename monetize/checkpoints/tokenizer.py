"""Loading a painter's tokenizer."""

from functools import cache

from transformers import CLIPTokenizer

from monetize.checkpoints.configs import check_configs
from monetize.checkpoints.embeddings import add_tokens
from monetize.checkpoints.layout import PAINTER_TOKENIZER
from monetize.checkpoints.load_errors import explain_load_errors
from monetize.checkpoints.resolve import Checkpoint
from monetize.errors import CheckpointError

MAX_POSITIONS = 10_000  # of a text encoder; that of Stable Diffusion has 77


@cache  # Commands need it before the pipeline, and the pipeline again.
def load_tokenizer(checkpoint: Checkpoint) -> CLIPTokenizer:
    """Load only a painter's tokenizer, with the tokens of its embeddings.

    Raises CheckpointError, and UsageError for a token that the tokenizer has already.
    """
    check_configs(checkpoint, PAINTER_TOKENIZER)
    folder = checkpoint.folder / "tokenizer"
    with explain_load_errors(checkpoint):
        tokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
        limit = tokenizer.model_max_length
        if not (isinstance(limit, int) and 2 < limit <= MAX_POSITIONS):
            raise CheckpointError(
                f"{folder / 'tokenizer_config.json'}: model_max_length must be the text encoder's "
                f"number of positions, such as 77, not {limit}"
            )
        encoded = tokenizer("a tree", return_offsets_mapping=True)
        ids = encoded["input_ids"]
        if len(ids) < 3 or (ids[0], ids[-1]) != (tokenizer.bos_token_id, tokenizer.eos_token_id):
            raise CheckpointError(
                f"the tokenizer in {folder} does not put a start and an end token around the text, "
                "as that of Stable Diffusion does: use another checkpoint"
            )
    add_tokens(tokenizer, checkpoint.embeddings)
    return tokenizer
