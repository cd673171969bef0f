import os
import zipfile
from pathlib import Path

import pytest

from monetize.errors import PhotoError, UsageError
from monetize.job.outputs import Outputs
from monetize.job.painted_files import opened

COMPOSED, DECOMPOSED = "caf\u00e9.jpg", "cafe\u0301.jpg"


def test_a_zip_and_a_folder_are_read_alike(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.jpg", b"a")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "a.jpg").write_bytes(b"a")
    (tmp_path / "a" / "sub").mkdir()
    for out in (tmp_path / "a.zip", tmp_path / "a"):
        with opened(Outputs.of(out)) as files:
            assert set(files.names) == {"a.jpg"}
            assert files.read("a.jpg") == b"a"


def test_letters_that_a_copy_has_decomposed_are_found(tmp_path: Path) -> None:
    (tmp_path / DECOMPOSED).write_bytes(b"a")
    with opened(Outputs.of(tmp_path)) as files:
        assert COMPOSED in files.names
        assert files.read(COMPOSED) == b"a"


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with opened(Outputs.of(tmp_path)) as files:
        assert "pipe.jpg" not in files.names
        with pytest.raises(PhotoError, match="not a regular file"):
            files.read("pipe.jpg")
    with pytest.raises(UsageError, match="no such file"), opened(Outputs.of(tmp_path / "none")):
        pass
