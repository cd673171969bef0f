import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from object_store import Bucket

from monetize.errors import StorageError, UsageError
from monetize.stores import files
from monetize.stores.files import (
    MOST_PARTS,
    check_writable,
    download,
    exists,
    list_files,
    look_up,
    part_bytes,
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
    bucket.put("photos/", b"")
    bucket.put("photoshop/d.jpg", b"other folder")
    listed = dict(list_files(path(bucket, "photos/")))
    assert set(listed) == {"a.jpg", "sub/b::c #1?.jpg"}
    assert listed["a.jpg"].size == 3
    assert [key for key, _ in list_files(path(bucket, "photos"), recursive=False)] == ["a.jpg"]
    before = listed["a.jpg"].version
    bucket.put("photos/a.jpg", b"two")
    assert dict(list_files(path(bucket, "photos")))["a.jpg"].version not in ("", before)
    assert {key for key, _ in list_files(path(bucket))} == {
        *("photos/a.jpg", "photos/sub/b::c #1?.jpg", "photoshop/d.jpg")
    }
    bucket.put("empty/", b"")
    assert list_files(path(bucket, "empty")) == []


def test_a_file_may_have_the_name_of_its_bucket(bucket: Bucket) -> None:
    bucket.put(bucket.name, b"x")
    assert [key for key, _ in list_files(path(bucket))] == [bucket.name]


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


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("a bug")])
def test_an_upload_that_is_cut_off_leaves_the_earlier_file(
    bucket: Bucket, large: Path, error: BaseException
) -> None:
    bucket.put("a.zip", b"earlier")
    blocks = []

    def stop(count: int) -> None:
        blocks.append(count)
        if len(blocks) == 10:
            raise error

    with pytest.raises(type(error)):
        upload(large, path(bucket, "a.zip"), stop)
    assert any("partNumber=1" in request for request in bucket.server.requests)
    assert bucket.get("a.zip") == b"earlier"
    assert bucket.unfinished_uploads() == 0


def test_a_large_file_has_fewer_parts_than_a_store_takes(
    bucket: Bucket, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert part_bytes(0) == part_bytes(1_000_000_000) == 8 * 2**20
    assert 5e12 / part_bytes(5_000_000_000_000) <= MOST_PARTS < 10_000
    monkeypatch.setattr(files, "MOST_PARTS", 1)
    upload(large, path(bucket, "a.zip"), lambda _: None)
    assert sum("partNumber" in request for request in bucket.server.requests) == 1
    assert bucket.get("a.zip") == large.read_bytes()


def test_errors_of_the_disk_are_not_blamed_on_the_store(bucket: Bucket, tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "a.zip"
    with pytest.raises(StorageError, match=f"{missing}: cannot be read: No such file"):
        upload(missing, path(bucket, "a.zip"), lambda _: None)
    bucket.put("b.zip", b"x")
    with pytest.raises(StorageError, match=f"{missing}: cannot be written: No such file"):
        download(path(bucket, "b.zip"), missing)
    with pytest.raises(StorageError, match="/dev/full: cannot be written: the disk is full"):
        download(path(bucket, "b.zip"), Path("/dev/full"))


def test_trying_to_write_leaves_nothing(bucket: Bucket) -> None:
    check_writable(path(bucket, "a.zip"))
    assert bucket.list() == set()
    assert bucket.unfinished_uploads() == 0
    with pytest.raises(FileNotFoundError):
        check_writable(RemotePath("s3://nobody-has-this/a.zip"))


@pytest.fixture
def other_store() -> Iterator[RemotePath]:
    """A folder of another kind of store, with folders of its own."""
    system = MemoryFileSystem()
    system.pipe({"/store/a.zip": b"content", "/store/sub/b.jpg": b""})
    yield RemotePath.parse("memory://store")
    system.rm("/store", recursive=True)


def test_other_kinds_of_stores_are_read(other_store: RemotePath, tmp_path: Path) -> None:
    listed = dict(list_files(other_store))
    assert {key: path.size for key, path in listed.items()} == {"a.zip": 7, "sub/b.jpg": 0}
    assert [key for key, _ in list_files(other_store, recursive=False)] == ["a.zip"]
    assert read_bytes(listed["a.zip"], 4) == b"cont"
    assert look_up(other_store / "a.zip").size == 7
    assert listed["a.zip"].version != ""
    assert exists(other_store / "a.zip")
    assert not exists(other_store / "b.zip")
    download(other_store / "a.zip", tmp_path / "copy.zip")
    assert (tmp_path / "copy.zip").read_bytes() == b"content"


def test_a_folder_that_cannot_be_listed_is_not_passed_over(
    other_store: RemotePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    ls = MemoryFileSystem.ls

    def refuse(self: MemoryFileSystem, path: str, *args: object, **options: object) -> object:
        if path.endswith("sub"):
            raise PermissionError("said why")
        return ls(self, path, *args, **options)

    monkeypatch.setattr(MemoryFileSystem, "ls", refuse)
    with pytest.raises(OSError, match="said why"):
        list_files(other_store)


@pytest.mark.parametrize(
    ("name", "message"),
    [("/store/link", None), ("/elsewhere/a.jpg", "which is not in this folder")],
)
def test_everything_that_a_store_lists_is_listed_or_an_error(
    other_store: RemotePath, monkeypatch: pytest.MonkeyPatch, name: str, message: str | None
) -> None:
    listed = [{"name": name, "size": 1, "type": "link"}]
    monkeypatch.setattr(MemoryFileSystem, "ls", lambda *_, **__: listed)
    if message is None:
        assert [key for key, _ in list_files(other_store)] == ["link"]
        return
    with pytest.raises(OSError, match=message):
        list_files(other_store)


def test_links_of_a_web_page_to_others_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "photos" / "sub").mkdir(parents=True)
    (tmp_path / "photos" / "a.jpg").write_bytes(b"content")
    (tmp_path / "photos" / "sub" / "b.jpg").write_bytes(b"")
    page = (
        '<a href="/">up</a> <a href="/c.jpg">other</a> <a href="a.jpg">a</a> <a href="sub/">b</a>'
    )
    (tmp_path / "photos" / "index.html").write_text(page)

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=tmp_path)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = RemotePath.parse(f"http://127.0.0.1:{server.server_port}/photos/")
        listed = list_files(url)
        server.shutdown()
    assert {key for key, _ in listed} == {"a.jpg", "sub/b.jpg"}


def test_a_file_is_no_folder(bucket: Bucket) -> None:
    bucket.put("a.jpg", b"x")
    with pytest.raises(NotADirectoryError, match="give the folder"):
        list_files(path(bucket, "a.jpg"))


@pytest.mark.parametrize(
    "url", ["https://host/a.zip", "memory://a/b.zip", "hdfs:///a.zip", "abfs://container/a.zip"]
)
def test_only_stores_that_show_no_incomplete_files_can_be_written(url: str) -> None:
    with pytest.raises(UsageError, match="only s3:// and gs:// can be written to"):
        check_writable(RemotePath.parse(url))


def test_a_missing_package_is_reported_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(UsageError, match=r"pip install gcsfs \(import of gcsfs halted"):
        check_writable(RemotePath.parse("gs://bucket/a.zip"))
