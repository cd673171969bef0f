"""Who may work in a workspace, and what becomes of what others have left."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from helpers import names

from monetize.errors import StorageError, UsageError
from monetize.job.leases import Leases
from monetize.job.workspace import Workspace
from monetize.job.workspace_access import LEASES, LOCK, WorkspaceAccess


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "out.zip.work"
    folder.mkdir()
    return folder


def access_to(folder: Path, *, join: bool = False) -> WorkspaceAccess:
    return WorkspaceAccess(folder.with_name("out.zip"), folder, join=join)


@contextmanager
def entered(access: WorkspaceAccess, calls: list[str] | None = None) -> Iterator[WorkspaceAccess]:
    """Inside; if others have left something, `calls` gets an entry."""
    access.enter(lambda: calls.append("clear up") if calls is not None else None)
    try:
        yield access
    finally:
        access.end_leases()
        access.release()


def test_a_second_process_is_kept_out(tmp_path: Path) -> None:
    with (
        Workspace(tmp_path / "out.zip"),
        pytest.raises(UsageError, match=r"out.zip is being written by another monetize run"),
        Workspace(tmp_path / "out.zip"),
    ):
        pass


def test_the_lock_is_free_when_nobody_holds_it(folder: Path) -> None:
    access, other = access_to(folder), access_to(folder)
    assert other.is_free()
    with entered(access):
        assert not other.is_free()
    assert other.is_free()


def test_several_processes_join_once_each_admits_the_next(folder: Path) -> None:
    with entered(access_to(folder, join=True)) as one:
        one.admit_others()
        with entered(access_to(folder, join=True)) as two:
            two.admit_others()
            assert (one.others(), two.others()) == (1, 1)
            with one.locked():
                assert not access_to(folder).is_free()
            assert access_to(folder).is_free()
        assert one.others() == 0
        one.wait_for_others()


def test_who_works_alone_is_refused_while_others_work(folder: Path) -> None:
    with entered(access_to(folder, join=True)) as joined:
        joined.admit_others()
        alone = access_to(folder)
        with (
            pytest.raises(UsageError, match="written by 1 of monetize run --join: use --join"),
            entered(alone),
        ):
            pass
        assert alone.others() == 0, "it has not joined"
        assert access_to(folder).is_free(), "the refused one has released the lock"


def test_what_others_have_left_is_cleared_up_only_after_the_last(folder: Path) -> None:
    calls = list[str]()
    with entered(access_to(folder, join=True), calls) as one:
        one.admit_others()
        with entered(access_to(folder, join=True), calls):
            assert calls == [], "the first is at work"
    with entered(access_to(folder), calls):
        assert calls == ["clear up"]
        assert names(folder) == {LOCK}


def test_the_lock_is_released_when_clearing_up_fails(folder: Path) -> None:
    (folder / LEASES).mkdir()
    with Leases(folder / LEASES):
        pass

    def fail() -> None:
        raise StorageError("full")

    with pytest.raises(StorageError, match="full"):
        access_to(folder).enter(fail)
    assert access_to(folder).is_free()


@pytest.mark.parametrize("others", [(), ("job.json",)])
def test_the_folder_goes_with_its_lock_unless_something_else_is_in_it(
    folder: Path, others: tuple[str, ...]
) -> None:
    with entered(access_to(folder, join=True)) as access:
        pass
    for name in others:
        (folder / name).touch()
    access.remove_folder()
    assert folder.exists() == bool(others)
    assert not others or names(folder) == set(others)
