import pytest
from helpers import CPU, Tiny

from monetize.checkpoints.layout import PAINTER
from monetize.checkpoints.loading import load_painting_pipeline
from monetize.checkpoints.resolve import resolve
from monetize.checkpoints.tokenizer import load_tokenizer
from monetize.errors import CheckpointError


def test_prompts_and_pipeline_share_one_tokenizer(tiny: Tiny) -> None:
    checkpoint = resolve(str(tiny.painter), PAINTER)
    assert load_painting_pipeline(checkpoint, CPU).tokenizer is load_tokenizer(checkpoint)


def test_a_damaged_tokenizer_is_a_checkpoint_error(tiny_copy: Tiny) -> None:
    for name in ("vocab.json", "tokenizer.json"):
        (tiny_copy.painter / "tokenizer" / name).unlink(missing_ok=True)
        (tiny_copy.painter / "tokenizer" / name).write_text("{")
    with pytest.raises(CheckpointError, match=r"tokenizer/\w+\.json is not a usable config"):
        load_tokenizer(resolve(str(tiny_copy.painter), PAINTER))
