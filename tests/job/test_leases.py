"""Leases on a folder of this machine; a test makes one old by its file's own time."""

import os
import threading
import time
from pathlib import Path

import pytest

from monetize.job import leases
from monetize.job.leases import LEASE_SECONDS, Leases


def age(folder: Path, name: str, seconds: float) -> None:
    """Let the latest lease of this name be as old as that."""
    path = max(folder.glob(f"{name}.*"))
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_only_one_takes_a_lease(tmp_path: Path) -> None:
    with Leases(tmp_path) as one, Leases(tmp_path) as two:
        assert one.claim("chunk")
        assert not one.claim("chunk")
        assert not two.claim("chunk")
        assert (one.holds("chunk"), two.holds("chunk")) == (True, False)
        assert two.claim("other")


def test_of_many_who_try_at_once_one_takes_it(tmp_path: Path) -> None:
    ready = threading.Barrier(8)
    taken: list[bool] = []

    def take() -> None:
        with Leases(tmp_path) as mine:
            for number in range(20):
                ready.wait()
                taken.append(mine.claim(f"chunk{number}"))
            ready.wait()

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 20


def test_a_released_lease_is_free_at_once(tmp_path: Path) -> None:
    with Leases(tmp_path) as one, Leases(tmp_path) as two:
        one.claim("chunk")
        one.release("chunk")
        assert two.claim("chunk")
        assert not one.claim("chunk")


def test_leases_of_a_process_that_ends_are_free(tmp_path: Path) -> None:
    with Leases(tmp_path) as two:
        with Leases(tmp_path) as one:
            one.claim("chunk")
            assert two.others() == 1
        assert two.others() == 0
        assert two.claim("chunk")


def test_an_expired_lease_is_taken_by_one_other(tmp_path: Path) -> None:
    with Leases(tmp_path) as dead, Leases(tmp_path) as one, Leases(tmp_path) as two:
        dead.claim("chunk")
        age(tmp_path, "chunk", LEASE_SECONDS - 10)
        assert not one.claim("chunk")
        age(tmp_path, "chunk", LEASE_SECONDS + 10)
        assert one.claim("chunk")
        assert not two.claim("chunk")
        dead.release("chunk")  # too late: it wakes up and gives up what it no longer has
        assert not two.claim("chunk")


def test_a_lease_is_renewed_while_it_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LEASE_SECONDS", 0.4)
    with Leases(tmp_path) as one, Leases(tmp_path) as two:
        one.claim("chunk")
        time.sleep(1)
        assert not two.claim("chunk")
        assert two.others() == 1


def test_a_clock_that_is_wrong_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Leases(tmp_path) as one, Leases(tmp_path) as two:
        one.claim("chunk")
        monkeypatch.setattr(time, "time", lambda: 0.0)
        assert not two.claim("chunk")
        monkeypatch.setattr(time, "time", lambda: 9e9)
        assert not two.claim("chunk")
