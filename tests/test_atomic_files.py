import errno
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from helpers import nobody, open_to_others

from monetize.atomic_files import write_bytes, write_many, writing
from monetize.errors import StorageError, UsageError


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_file_appears_only_when_complete(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with writing(path) as file:
        file.write(b"new")
        file.flush()
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["a.txt"]


def test_many_files_appear_when_all_are_written(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")

    def files() -> Iterator[tuple[str, bytes]]:
        yield "a.txt", b"new"
        yield "b.txt", b"new"
        assert (tmp_path / "a.txt").read_text() == "old"
        assert "b.txt" not in names(tmp_path)

    write_many(tmp_path, files())
    assert sorted(names(tmp_path)) == ["a.txt", "b.txt"]
    assert (tmp_path / "a.txt").read_bytes() == b"new"


def test_leftovers_of_killed_processes_and_of_failures_are_removed(tmp_path: Path) -> None:
    (tmp_path / "mine.part").write_text("x")
    with writing(tmp_path / "a.txt"):
        [temporary] = set(names(tmp_path)) - {"mine.part"}
    (tmp_path / temporary).write_text("half")

    def files() -> Iterator[tuple[str, bytes]]:
        yield "b.txt", b"new"
        raise KeyError

    with pytest.raises(KeyError):
        write_many(tmp_path, files())
    assert sorted(names(tmp_path)) == ["a.txt", "mine.part"]


def test_a_failure_leaves_only_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_bytes(path, b"old")
    with pytest.raises(KeyError), writing(path) as file:
        file.write(b"half")
        raise KeyError
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.txt"]


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match=r"a.txt: cannot be written: the disk is full; free some"),
        writing(tmp_path / "a.txt"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert names(tmp_path) == []


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"no/a.txt: cannot be written: No such file"):
        write_bytes(tmp_path / "no" / "a.txt", b"")


def refuse(monkeypatch: pytest.MonkeyPatch, function: str, error: int) -> None:
    """Let a function of os fail on this disk."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(f"os.{function}", fail)


@pytest.mark.parametrize("error", [errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF])
def test_a_disk_that_cannot_sync_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    refuse(monkeypatch, "fsync", error)
    write_bytes(tmp_path / "a.txt", b"new")
    assert (tmp_path / "a.txt").read_bytes() == b"new"


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_a_failed_sync_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    write_bytes(tmp_path / "a.txt", b"old")
    refuse(monkeypatch, "fsync", error)
    with pytest.raises(StorageError, match=r"a\.txt: cannot be written"):
        write_bytes(tmp_path / "a.txt", b"new")
    assert (tmp_path / "a.txt").read_bytes() == b"old"
    assert names(tmp_path) == ["a.txt"]


def test_a_folder_that_may_not_be_listed_is_written_to(tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    open_to_others(folder)
    folder.chmod(0o333)
    with nobody():
        write_bytes(folder / "a.txt", b"new")
    folder.chmod(0o755)
    assert names(folder) == ["a.txt"]


def test_files_with_similar_names_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.txt.part").write_text("mine")
    (tmp_path / "victim").write_text("victim")
    for name in (".a.txt.part", "a.txt.tmp"):
        (tmp_path / name).symlink_to("victim")
    write_bytes(tmp_path / "a.txt", b"new")
    assert (tmp_path / "a.txt.part").read_text() == "mine"
    assert (tmp_path / "victim").read_text() == "victim"


def test_a_temporary_name_that_is_a_link_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda _: "guessed")
    (tmp_path / "victim").write_text("victim")
    (tmp_path / ".monetize-guessed.part").symlink_to("victim")
    with pytest.raises(StorageError, match="File exists"):
        write_bytes(tmp_path / "a.txt", b"new")
    assert (tmp_path / "victim").read_text() == "victim"
    assert not (tmp_path / "a.txt").exists()


@pytest.mark.parametrize("links", [True, False])
def test_without_overwrite_only_the_first_of_two_writers_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    if not links:
        refuse(monkeypatch, "link", errno.EPERM)
    path = tmp_path / "a.txt"
    with (
        pytest.raises(UsageError, match=r"a\.txt was created while this ran; --overwrite repl"),
        writing(path, overwrite=False) as file,
    ):
        file.write(b"late")
        write_bytes(path, b"first", overwrite=False)
    assert path.read_bytes() == b"first"
    assert names(tmp_path) == ["a.txt"]


def test_many_writers_leave_one_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    texts = [bytes([65 + i]) * 300_000 for i in range(4)]

    def write(text: bytes, overwrite: bool) -> bool:
        try:
            write_bytes(path, text, overwrite=overwrite)
        except UsageError:
            return False
        return True

    with ThreadPoolExecutor(len(texts)) as threads:
        assert sum(threads.map(lambda text: write(text, False), texts)) == 1
        for _ in range(10):
            assert all(threads.map(lambda text: write(text, True), texts))
            assert path.read_bytes() in texts
    assert names(tmp_path) == ["a.txt"]


def test_a_replaced_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_bytes(path, b"old")
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask, "that of any new file"
    path.chmod(0o640)
    write_bytes(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "a.txt"
    link.symlink_to("there/b.txt")
    for data in (b"new file", b"replaced"):
        write_bytes(link, data)
        assert link.is_symlink()
        assert (tmp_path / "there" / "b.txt").read_bytes() == data
    assert names(tmp_path / "there") == ["b.txt"]
    link.unlink()
    link.symlink_to("a.txt")
    with pytest.raises(StorageError, match="a symbolic link that leads to itself"):
        write_bytes(link, b"")


def test_only_regular_files_are_replaced(tmp_path: Path) -> None:
    pipe, folder = tmp_path / "pipe", tmp_path / "folder"
    os.mkfifo(pipe)
    folder.mkdir()
    link = tmp_path / "link"
    link.symlink_to("/dev/null")
    for path, what in ((pipe, "is a device, pipe or"), (link, "is a device"), (folder, "folder")):
        with pytest.raises(StorageError, match=what):
            write_bytes(path, b"")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert sorted(names(tmp_path)) == ["folder", "link", "pipe"]


def test_a_name_at_the_limit_of_the_disk_can_be_written(tmp_path: Path) -> None:
    write_bytes(tmp_path / ("a" * 255), b"new")
    with pytest.raises(StorageError, match="the name is too long for this disk"):
        write_bytes(tmp_path / ("a" * 256), b"new")
