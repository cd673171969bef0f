"""Signals to a job with several worker processes: none of them outlives it, none prints."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers import Tiny

# Two processes on the CPU stand in for two GPUs.
TWO_WORKERS = """
import os
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import monetize.painting.spec as spec
one_device = spec.every_device
spec.every_device = lambda placement: one_device(placement) * 2
from monetize.__main__ import main
main()
"""
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(photos: Path, tmp_path: Path, tiny: Tiny) -> Iterator[subprocess.Popen[str]]:
    """A job whose paintings take long, in a process group of its own."""
    command = [
        sys.executable, "-c", TWO_WORKERS, "run", str(photos), str(tmp_path / "a.zip"),
        *tiny.flags, "--steps", "900", "--batch-size", "1",
    ]  # fmt: skip
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        yield process
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def children(pid: int) -> set[int]:
    """The worker processes of a job, without multiprocessing's resource tracker."""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                command = (folder / "cmdline").read_text()
            except OSError:  # it has ended
                continue
            if parent == pid and "spawn_main" in command:
                found.add(int(folder.name))
    return found


def wait_for_workers(process: subprocess.Popen[str]) -> set[int]:
    deadline = time.monotonic() + 60
    while len(workers := children(process.pid)) < 2:
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return workers


def assert_gone(workers: set[int], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < deadline, "workers outlive their job"
        time.sleep(0.05)


pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGINT, 130, id="SIGINT"),
        pytest.param(signal.SIGTERM, 143, id="SIGTERM", marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, 129, id="SIGHUP", marks=pytest.mark.slow),
    ],
)
def test_workers_end_with_a_job_that_is_stopped_while_they_import(
    start: subprocess.Popen[str], number: signal.Signals, code: int
) -> None:
    workers = wait_for_workers(start)
    os.killpg(start.pid, number)  # as Ctrl-C and a scheduler do: to all processes of the job
    _, stderr = start.communicate(timeout=30)
    assert start.returncode == code, stderr
    assert "Traceback" not in stderr
    assert "the same command continues from there" in stderr
    assert_gone(workers, seconds=5)


@pytest.mark.slow
def test_workers_end_when_their_job_is_killed(start: subprocess.Popen[str]) -> None:
    workers = wait_for_workers(start)
    time.sleep(3)  # in the middle of importing, loading or painting
    start.kill()
    assert_gone(workers, seconds=10)
