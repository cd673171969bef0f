"""Errors of libraries while they load a checkpoint, and interruptions among them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from helpers import Tiny

from monetize.checkpoints.layout import PAINTER
from monetize.checkpoints.load_errors import explain_load_errors
from monetize.checkpoints.resolve import resolve
from monetize.checkpoints.single_file import explain_file_errors
from monetize.errors import CheckpointError

Block = Callable[[], AbstractContextManager[None]]


@pytest.fixture(params=["folder", "file"])
def block(request: pytest.FixtureRequest, tiny: Tiny, tmp_path: Path) -> Block:
    """The block around a library that loads a folder or a file."""
    if request.param == "folder":
        checkpoint = resolve(str(tiny.painter), PAINTER)
        return lambda: explain_load_errors(checkpoint)
    file = tmp_path / "monet.pt"
    file.write_bytes(b"PK\x03\x04")
    return lambda: explain_file_errors("--lora", file)


def test_an_error_of_a_library_is_explained(block: Block) -> None:
    with pytest.raises(CheckpointError, match=r"damaged or incomplete"), block():
        raise ValueError("unexpected end")


def test_an_interruption_that_a_library_replaced_is_not_a_damaged_file(block: Block) -> None:
    with pytest.raises(KeyboardInterrupt), block():
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise OSError("Unable to load weights") from None
