import sys
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem
from object_store import Bucket

from monetize.errors import UsageError
from monetize.stores.files import (
    check_writable,
    download,
    exists,
    list_files,
    look_up,
    read_bytes,
    upload,
)
from monetize.stores.remote_path import RemotePath


def path(bucket: Bucket, key: str = "") -> RemotePath:
    return RemotePath.parse(f"{bucket}/{key}")


def test_a_folder_is_listed_with_sizes_and_versions(bucket: Bucket) -> None:
    bucket.put("photos/a.jpg", b"one")
    bucket.put("photos/sub/b::c #1?.jpg", b"")
    bucket.put("photos/sub/", b"")
    bucket.put("photoshop/d.jpg", b"other folder")
    listed = dict(list_files(path(bucket, "photos/")))
    assert set(listed) == {"a.jpg", "sub/b::c #1?.jpg"}
    assert listed["a.jpg"].size == 3
    assert [key for key, _ in list_files(path(bucket, "photos"), recursive=False)] == ["a.jpg"]
    before = listed["a.jpg"].version
    bucket.put("photos/a.jpg", b"two")
    assert dict(list_files(path(bucket, "photos")))["a.jpg"].version not in ("", before)
    assert {key for key, _ in list_files(path(bucket))} == {*bucket.list()} - {"photos/sub/"}


def test_a_thousand_files_take_one_request(bucket: Bucket) -> None:
    for number in range(9):
        bucket.put(f"photos/{number % 3}/{number}.jpg", b"x")
    bucket.server.requests.clear()
    assert len(list_files(path(bucket, "photos"))) == 9
    assert len(bucket.server.requests) == 1


def test_a_listed_file_is_read_in_one_request(bucket: Bucket) -> None:
    bucket.put("a::b #1?.jpg", b"content")
    bucket.put("empty.jpg", b"")
    listed = dict(list_files(path(bucket)))
    bucket.server.requests.clear()
    assert read_bytes(listed["a::b #1?.jpg"]) == b"content"
    assert read_bytes(listed["a::b #1?.jpg"], 4) == b"cont"
    assert len(bucket.server.requests) == 2
    assert read_bytes(listed["empty.jpg"]) == b""


def test_files_are_looked_up(bucket: Bucket) -> None:
    bucket.put("photos/a.jpg", b"one")
    assert look_up(path(bucket, "photos/a.jpg")).size == 3
    assert exists(path(bucket, "photos/a.jpg"))
    assert not exists(path(bucket, "photos"))
    assert not exists(path(bucket, "photos/b.jpg"))
    with pytest.raises(FileNotFoundError, match="no such object"):
        read_bytes(path(bucket, "photos/b.jpg"))


def test_unknown_kinds_and_missing_packages_are_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(UsageError, match="needs another package: pip install gcsfs"):
        list_files(RemotePath.parse("gs://bucket/photos"))
    with pytest.raises(UsageError, match="Protocol not known: nowhere"):
        list_files(RemotePath.parse("nowhere://bucket/photos"))


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file that is sent in two parts."""
    file = tmp_path / "large.zip"
    file.write_bytes(bytes(range(256)) * 40_000)
    return file


def test_a_file_is_uploaded_in_parts_and_downloaded(
    bucket: Bucket, large: Path, tmp_path: Path
) -> None:
    sent = []

    def look(count: int) -> None:
        sent.append(count)
        assert bucket.list() == set(), "nothing is seen of it before it is complete"

    upload(large, path(bucket, "a.zip"), look)
    assert sum(sent) == large.stat().st_size
    assert bucket.get("a.zip") == large.read_bytes()
    assert sum("partNumber" in request for request in bucket.server.requests) == 2
    download(path(bucket, "a.zip"), tmp_path / "copy.zip")
    assert (tmp_path / "copy.zip").read_bytes() == large.read_bytes()


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError("a bug")])
def test_an_upload_that_is_cut_off_leaves_the_earlier_file(
    bucket: Bucket, large: Path, error: BaseException
) -> None:
    bucket.put("a.zip", b"earlier")
    blocks = []

    def stop(count: int) -> None:
        blocks.append(count)
        if len(blocks) == 10:
            raise error

    with pytest.raises((KeyboardInterrupt, OSError)):
        upload(large, path(bucket, "a.zip"), stop)
    assert any("partNumber=1" in request for request in bucket.server.requests)
    assert bucket.get("a.zip") == b"earlier"
    assert bucket.unfinished_uploads() == 0


def test_trying_to_write_leaves_nothing(bucket: Bucket) -> None:
    check_writable(path(bucket, "a.zip"))
    assert bucket.list() == set()
    assert bucket.unfinished_uploads() == 0
    with pytest.raises(FileNotFoundError):
        check_writable(RemotePath("s3://nobody-has-this/a.zip"))


def test_other_kinds_of_stores_are_read_and_written(large: Path, tmp_path: Path) -> None:
    folder = RemotePath.parse(f"file://{tmp_path}/store")
    (tmp_path / "store").mkdir()
    check_writable(folder / "a.zip")
    upload(large, folder / "a.zip", lambda _: None)
    [(key, listed)] = list_files(folder)
    assert (key, listed.size) == ("a.zip", large.stat().st_size)
    assert read_bytes(listed, 4) == large.read_bytes()[:4]
    assert look_up(folder / "a.zip").version == listed.version != ""
    assert not exists(folder / "b.zip")
    (tmp_path / "store" / "sub").mkdir()
    (tmp_path / "store" / "sub" / "b.jpg").write_bytes(b"")
    assert {key for key, _ in list_files(folder)} == {"a.zip", "sub/b.jpg"}
    assert {key for key, _ in list_files(folder, recursive=False)} == {"a.zip"}


def test_a_folder_that_cannot_be_listed_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    ls = LocalFileSystem.ls

    def refuse(self: LocalFileSystem, path: str, *args: object, **options: object) -> object:
        if path.endswith("sub"):
            raise PermissionError("said why")
        return ls(self, path, *args, **options)

    monkeypatch.setattr(LocalFileSystem, "ls", refuse)
    with pytest.raises(OSError, match="said why"):
        list_files(RemotePath.parse(f"file://{tmp_path}"))


def test_a_file_is_no_folder(bucket: Bucket) -> None:
    bucket.put("a.jpg", b"x")
    with pytest.raises(NotADirectoryError, match="give the folder"):
        list_files(path(bucket, "a.jpg"))


def test_web_pages_cannot_be_written() -> None:
    with pytest.raises(UsageError, match="files can only be read there"):
        check_writable(RemotePath("https://host/a.zip"))
