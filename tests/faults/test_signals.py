"""Signals at any moment: the exit code, how to continue, and never a traceback."""

import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from finished_job import PAINTED, picture
from helpers import Tiny

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start `monetize` as a process of its own; it is killed at the end of the test."""
    started: list[subprocess.Popen[str]] = []

    def run(*args: object, **options: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "monetize", *map(str, args)]
        process = subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options
        )  # type: ignore[call-overload]
        started.append(process)
        return process  # type: ignore[no-any-return]

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def long_check(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zip that takes seconds to check."""
    path = tmp_path_factory.mktemp("check") / "images.zip"
    image = picture(PAINTED, (256, 256))
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(7000):
            archive.writestr(f"{number:04}.jpg", image)
    return path


def wait_for(process: subprocess.Popen[str], text: str) -> str:
    """Read standard error up to a line that begins with text."""
    assert process.stderr is not None
    shown = ""
    for line in process.stderr:
        shown += line
        if line.startswith(text):
            return shown
    pytest.fail(f"{text!r} is not in {shown!r}")


def finish(process: subprocess.Popen[str]) -> list[str]:
    """The rest of what the process shows; fails if it is a traceback."""
    _, shown = process.communicate(timeout=60)
    assert "Traceback" not in shown
    assert "Exception ignored" not in shown
    return shown.splitlines()


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_interrupts_with_its_own_exit_code(
    start: Start, long_check: Path, number: signal.Signals
) -> None:
    process = start("check", long_check)
    wait_for(process, "Checking")
    process.send_signal(number)
    assert finish(process)[-1] == "Interrupted. Run the same command again."
    assert process.returncode == 128 + number


@pytest.mark.parametrize("pause", [0, 0.001, 0.01, 0.1])
def test_a_second_signal_ends_without_a_traceback(
    start: Start, long_check: Path, pause: float
) -> None:
    process = start("check", long_check)
    wait_for(process, "Checking")
    process.send_signal(signal.SIGINT)
    time.sleep(pause)
    process.send_signal(signal.SIGINT)
    assert finish(process)[-1].startswith("Interrupted")
    assert process.returncode == 130


@pytest.mark.parametrize("delay", [0.0, 0.3, 1.0, 2.0])
def test_signals_while_libraries_are_imported_leave_no_traceback(
    start: Start, tiny: Tiny, photos: Path, tmp_path: Path, delay: float
) -> None:
    process = start("run", photos, tmp_path / "a.zip", *tiny.flags)
    wait_for(process, "Loading")
    time.sleep(delay)
    process.send_signal(signal.SIGTERM)
    assert finish(process)[-1].startswith("Interrupted")
    assert process.returncode == 143


def test_a_job_says_how_to_continue_after_sigterm(
    start: Start, tiny: Tiny, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "a.zip"
    process = start("run", photos, out, *tiny.flags, "--steps", 400)
    wait_for(process, "Painting: ")
    process.send_signal(signal.SIGTERM)
    assert finish(process)[-1] == (
        f"Interrupted. 6 captions and 0 of 6 paintings are kept in {out}.work; the same command "
        "continues from there."
    )
    assert process.returncode == 143


def test_an_ignored_signal_stays_ignored(start: Start, long_check: Path) -> None:
    process = start(
        "check", long_check, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)
    )
    wait_for(process, "Checking")
    process.send_signal(signal.SIGHUP)
    assert finish(process)[-1].startswith("Checking: 7,000/7,000") or process.returncode == 0
    assert process.returncode == 0
