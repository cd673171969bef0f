import errno
import os
from pathlib import Path

import pytest

from monetize.errors import InputError, StorageError
from monetize.file_errors import explain_read_errors, explain_write_errors


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (errno.ENOSPC, "the disk is full; free some space"),
        (errno.EMFILE, "too many open files; raise the limit"),
        (errno.EIO, "the disk failed"),
        (errno.ENOENT, "No such file or directory"),
    ],
)
def test_a_failed_operation_is_one_line_with_the_reason(error: int, why: str) -> None:
    path = Path("a\n.csv")
    with (
        pytest.raises(StorageError, match=rf"^a\\n\.csv: cannot be written: {why}"),
        explain_write_errors(path),
    ):
        raise OSError(error, os.strerror(error))
    with (
        pytest.raises(StorageError, match=rf"^a\\n\.csv: cannot be read: {why}"),
        explain_read_errors(path),
    ):
        raise OSError(error, os.strerror(error))


def test_input_that_cannot_be_read_is_an_input_error(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match="missing: cannot be read: No such file"),
        explain_read_errors(tmp_path / "missing", InputError),
    ):
        (tmp_path / "missing").read_bytes()
