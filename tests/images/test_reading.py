import errno
import os
import socket
from pathlib import Path

import pytest
from object_store import Bucket
from s3fs import S3FileSystem

from monetize.errors import PhotoError, ReadError
from monetize.images import reading
from monetize.images.reading import file_version, read_file, read_head
from monetize.stores.remote_path import RemotePath


def test_a_file_is_read_completely_or_its_first_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abcdef")
    assert read_file(tmp_path / "a") == b"abcdef"
    assert read_head(tmp_path / "a", 3) == b"abc"


def test_a_missing_file_has_no_first_bytes_and_a_reason(tmp_path: Path) -> None:
    assert read_head(tmp_path / "a", 3) == b""
    with pytest.raises(PhotoError, match="No such file"):
        read_file(tmp_path / "a")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipes_and_sockets_have_no_first_bytes_and_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert read_head(tmp_path / "pipe", 3) == b""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{tmp_path / 'socket'}")
        assert read_head(tmp_path / "socket", 3) == b""


def test_too_many_open_files_are_not_blamed_on_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    (tmp_path / "a").write_bytes(b"abcdef")
    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(ReadError, match="a: cannot be read: too many open files"):
        read_head(tmp_path / "a", 3)


def test_a_file_of_unknown_size_in_a_store_is_not_read_beyond_the_limit(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("a.jpg", b"abcdef")
    path = RemotePath(f"{bucket}/a.jpg")
    monkeypatch.setattr(S3FileSystem, "info", lambda *_: {"type": "file"})
    assert file_version(path).size == -1
    assert read_file(path) == b"abcdef"
    monkeypatch.setattr(reading, "MAX_FILE_BYTES", 3)
    with pytest.raises(PhotoError, match="the file is too large"):
        read_file(path)
