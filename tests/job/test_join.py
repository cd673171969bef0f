"""Jobs that several processes share: the bytes of one, whoever does what and whoever dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from helpers import Run, Tiny, names

from monetize.job.leases import LEASE_SECONDS, Leases

PATIENCE_SECONDS = 120
JOIN = """
import monetize.job.leases
monetize.job.leases.LEASE_SECONDS = 20.0
from monetize.__main__ import main
main()
"""
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tiny: Tiny) -> Iterator[Start]:
    """Start `monetize run --join` as a process whose leases expire soon; it ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def run(*args: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", JOIN, "run", "--join", *map(str, args), *tiny.flags]
        started.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def run_slowly(cli: Run, tiny: Tiny) -> Callable[..., Result]:
    return lambda *args: cli("run", *args, *tiny.flags)


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_one_process_makes_the_usual_bytes(run_job: Run, photos: Path, tmp_path: Path) -> None:
    (photos / "broken.jpg").write_text("")
    options = ("--caption-batch-size", 4)
    assert run_job(photos, tmp_path / "one.zip", *options).exit_code == 3
    result = run_job(photos, tmp_path / "two.zip", *options, "--join")
    assert result.exit_code == 3, result.stderr
    assert "broken.jpg: empty file" in result.stderr
    for suffix in (".zip", ".csv"):
        one, two = (tmp_path / f"{name}{suffix}" for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_what_is_done_is_said_and_left_alone(run_job: Run, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.zip"
    assert run_job(photos, out, "--join").exit_code == 0
    assert names(tmp_path) == {"photos", "a.zip", "a.csv", "a.json"}
    before = out.stat()
    result = run_job(photos, out, "--join")
    assert result.exit_code == 0
    assert f"{out} is done already" in result.stderr
    assert out.stat() == before


def test_a_folder_of_paintings_is_shared_likewise(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    for name, options in (("one", ()), ("two", ("--join",))):
        result = run_job(photos, "--output-folder", tmp_path / name, *options)
        assert result.exit_code == 0, result.stderr
    for path in (tmp_path / "one").glob("*.jpg"):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
    assert names(tmp_path) == {"photos", "one", "two"}
    assert names(tmp_path / "one") == names(tmp_path / "two")
    again = run_job(photos, "--output-folder", tmp_path / "two", "--join")
    assert again.exit_code == 0
    assert "two is done already" in again.stderr


def test_parts_that_another_has_begun_are_left_to_it_until_its_leases_expire(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "a.zip"
    folder = tmp_path / "a.zip.work"
    (folder / "leases").mkdir(parents=True)
    (folder / "lock").touch()

    with Leases(folder / "leases") as other:
        for name in ("caption-00000", "paint-00003"):
            assert other.claim(name)

        def die() -> None:
            """Let the leases be as old as those of a process that has died."""
            for name, done in (("caption-00000", "captioned"), ("paint-00003", "paintings")):
                wait_until((folder / done).exists)
                time.sleep(2)
                then = time.time() - LEASE_SECONDS - 10
                os.utime(folder / "leases" / f"{name}.1", (then, then))
            (folder / "leases" / f"{other.name}.1").unlink()

        dying = threading.Thread(target=die)
        dying.start()
        result = run_job(photos, out, "--join", "--caption-batch-size", 4)
        dying.join()
    assert result.exit_code == 0, result.stderr
    assert "Others paint the rest; what they leave is taken over here" in result.stderr
    assert run_job(photos, tmp_path / "one.zip", "--caption-batch-size", 4).exit_code == 0
    assert out.read_bytes() == (tmp_path / "one.zip").read_bytes()


def test_a_run_without_join_is_refused_while_others_work(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "a.zip.work"
    (folder / "leases").mkdir(parents=True)
    (folder / "lock").touch()
    with Leases(folder / "leases"):
        result = run_job(photos, tmp_path / "a.zip")
        assert result.exit_code == 2
        assert "is being written by 1 of monetize run --join: use --join, too" in result.stderr
    assert run_job(photos, tmp_path / "a.zip").exit_code == 0
    assert names(tmp_path) == {"photos", "a.zip", "a.csv", "a.json"}


def test_other_photos_than_those_of_others_are_refused(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    captions = tmp_path / "captions.csv"
    captions.write_text("photo,caption\nphoto0.jpg,a lake\n")
    out = tmp_path / "a.zip"
    assert run_job(photos, out, "--captions", captions).exit_code == 1, "captions are missing"
    options = ("--captions", captions, "--caption-missing", "--join", "--keep-work")
    assert run_job(photos, out, *options).exit_code == 0
    out.unlink()
    (photos / "photo5.jpg").unlink()
    with Leases(tmp_path / "a.zip.work" / "leases"):
        result = run_job(photos, out, *options)
    assert result.exit_code == 2
    assert "others work on other photos: stop them all first" in result.stderr
    assert "1 photo gone since this job began" in result.stderr


@pytest.mark.parametrize(
    "options",
    [("--overwrite",), ("--update",), ("--time-budget", "1h"), ("--executor", "ray")],
    ids=lambda options: options[0],
)
def test_what_one_machine_alone_can_do_is_refused(
    run_job: Run, photos: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    result = run_job(photos, tmp_path / "a.zip", "--join", *options)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {options[0]} ")
    assert "does not work with --join" in result.stderr


def test_a_gallery_is_for_one_machine(run_job: Run, photos: Path, tmp_path: Path) -> None:
    result = run_job(photos, tmp_path / "a.zip", "--join", "--gallery")
    assert result.exit_code == 2
    assert "--gallery does not work with --join" in result.stderr
    assert f"with monetize gallery {tmp_path / 'a.zip'}" in result.stderr


@pytest.mark.slow
def test_three_processes_make_the_bytes_of_one_though_one_is_killed_at_work(
    start: Start, run_slowly: Run, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "a.zip"
    options = ("--batch-size", 1, "--caption-batch-size", 2, "--steps", 60)
    leases = tmp_path / "a.zip.work" / "leases"
    killed, *others = [start(photos, out, *options) for _ in range(3)]
    wait_until(lambda: leases.exists() and bool(list(leases.glob("caption-*"))))
    killed.send_signal(signal.SIGSTOP)  # whatever it has, it does not finish
    time.sleep(1)
    killed.kill()
    for process in others:
        _, stderr = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, stderr
        assert stderr.splitlines()[-1].startswith("Done: 6 paintings")
    assert names(tmp_path) == {"photos", "a.zip", "a.csv", "a.json"}
    assert run_slowly(photos, tmp_path / "one.zip", *options).exit_code == 0
    assert out.read_bytes() == (tmp_path / "one.zip").read_bytes()


@pytest.mark.slow
def test_a_process_that_is_killed_with_a_lease_leaves_its_chunk_to_another(
    start: Start, run_slowly: Run, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "a.zip"
    options = ("--batch-size", 1, "--steps", 60)
    leases = tmp_path / "a.zip.work" / "leases"
    killed = start(photos, out, *options)
    wait_until(lambda: leases.exists() and bool(list(leases.glob("paint-*"))))
    killed.send_signal(signal.SIGSTOP)  # else it may be done before the other has joined
    other = start(photos, out, *options)
    wait_until(lambda: len(list(leases.glob("member-*"))) == 2)
    killed.kill()
    _, stderr = other.communicate(timeout=PATIENCE_SECONDS)
    assert other.returncode == 0, stderr
    again = [path for path in names(tmp_path) if path.startswith("a.")]
    assert sorted(again) == ["a.csv", "a.json", "a.zip"]
    assert run_slowly(photos, tmp_path / "one.zip", *options).exit_code == 0
    assert out.read_bytes() == (tmp_path / "one.zip").read_bytes()
