"""Jobs on a real Ray cluster: the bytes of one machine, whatever happens to workers and nodes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import Run, Tiny, members, names, rows
from object_store import Bucket

from monetize.job.executors.base import Chunk
from monetize.job.executors.ray import painting
from monetize.job.executors.ray.painting import Contents, PaintWorker
from monetize.job.executors.ray.work import Answer

AddNode = Callable[[], Any]
Start = Callable[..., subprocess.Popen[str]]
PATIENCE_SECONDS = 120


def saved(out: Path) -> int:
    """How many chunks are done."""
    folder = out.with_name(out.name + ".work") / "paintings"
    return sum("." not in name for name in names(folder)) if folder.exists() else 0


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def painters() -> int:
    """How many painters run on this machine."""
    titles = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                titles.append((folder / "cmdline").read_text())
            except OSError:  # it has ended
                continue
    return sum(title.startswith("ray::PaintWorker") for title in titles)


@pytest.fixture
def start_driver(head: Any, tiny: Tiny) -> Iterator[Start]:
    """Start a job on the cluster as a process of its own; it ends with the test."""
    drivers: list[subprocess.Popen[str]] = []

    def start(*args: object) -> subprocess.Popen[str]:
        options = ["--executor", "ray", "--ray-address", head.address, "--batch-size", "1"]
        command = [sys.executable, "-m", "monetize", "run", *map(str, args), *tiny.flags, *options]
        drivers.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
        return drivers[-1]

    yield start
    for driver in drivers:
        driver.kill()
        driver.communicate()


@pytest.mark.slow
def test_two_nodes_make_the_bytes_that_one_machine_makes(
    run_on_ray: Run, run_here: Run, add_node: AddNode, photos: Path, tmp_path: Path
) -> None:
    (photos / "broken.jpg").write_text("")
    options = ("--caption-batch-size", 4)
    assert run_here(photos, tmp_path / "one.zip", *options).exit_code == 3
    add_node()
    add_node()
    result = run_on_ray(photos, tmp_path / "two.zip", *options)
    assert result.exit_code == 3, result.stderr
    assert "Ray cluster: 3 nodes, 0 GPUs, 2 CPUs" in result.stderr
    assert "broken.jpg: empty file" in result.stderr
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    wait_until(lambda: painters() == 0)


@pytest.mark.slow
def test_paintings_that_start_from_photos_need_no_shared_disk(
    run_on_ray: Run, run_here: Run, add_node: AddNode, photos: Path, captions: Path
) -> None:
    folder = captions.parent
    options = ("--captions", captions, "--strength", 0.5, "--batch-size", 2, "--metadata")
    assert run_here(photos, folder / "one.zip", *options).exit_code == 0
    add_node()
    result = run_on_ray(photos, folder / "two.zip", *options, "--ship-checkpoint")
    assert result.exit_code == 0, result.stderr
    assert "Sending " in result.stderr
    assert (folder / "one.zip").read_bytes() == (folder / "two.zip").read_bytes()


@pytest.mark.slow
def test_only_the_driver_needs_the_store_of_the_photos(
    run_on_ray: Run, run_here: Run, add_node: AddNode, photos: Path, tmp_path: Path,
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with monkeypatch.context() as elsewhere:
        elsewhere.delenv("AWS_ENDPOINT_URL")
        elsewhere.delenv("AWS_SECRET_ACCESS_KEY")
        add_node()
    url = bucket.put_folder(photos, "photos")
    options = ("--strength", 0.5, "--limit", 3)
    assert run_here(photos, tmp_path / "one.zip", *options).exit_code == 0
    result = run_on_ray(url, f"{bucket}/two.zip", *options, "--work-folder", tmp_path)
    assert result.exit_code == 0, result.stderr
    assert bucket.get("two.zip") == (tmp_path / "one.zip").read_bytes()
    assert bucket.get("two.csv") == (tmp_path / "one.csv").read_bytes()


@pytest.mark.slow
def test_the_chunk_of_a_worker_that_is_killed_goes_to_another(
    run_on_ray: Run,
    run_here: Run,
    add_node: AddNode,
    photos: Path,
    captions: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    killed = str(captions.parent / "killed")

    class KilledOnce(PaintWorker):
        def work(self, chunk: Chunk, photos: Contents) -> Answer:
            if chunk.number == 1 and not os.path.exists(killed):  # noqa: PTH110
                open(killed, "w").close()  # noqa: PTH123
                os.kill(os.getpid(), signal.SIGKILL)
            return super().work(chunk, photos)

    add_node()
    monkeypatch.setattr(painting, "PaintWorker", KilledOnce)
    out = captions.parent / "two.zip"
    result = run_on_ray(photos, out, "--captions", captions)
    assert result.exit_code == 0, result.stderr
    assert os.path.exists(killed)  # noqa: PTH110
    assert "died (" in result.stderr
    assert ": others paint its chunks" in result.stderr
    assert run_here(photos, captions.parent / "one.zip", "--captions", captions).exit_code == 0
    assert out.read_bytes() == (captions.parent / "one.zip").read_bytes()


@pytest.mark.slow
def test_a_chunk_that_kills_three_painters_is_named_and_the_rest_is_painted(
    run_on_ray: Run,
    run_here: Run,
    add_node: AddNode,
    photos: Path,
    captions: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Poisoned(PaintWorker):
        def work(self, chunk: Chunk, photos: Contents) -> Answer:
            if chunk.number == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().work(chunk, photos)

    add_node()
    out = captions.parent / "two.zip"
    with monkeypatch.context() as patch:
        patch.setattr(painting, "PaintWorker", Poisoned)
        result = run_on_ray(photos, out, "--captions", captions)
    assert result.exit_code == 3, result.stderr
    assert result.stderr.count("died (") == 3
    assert "1 of 6 photos could not be painted:" in result.stderr
    assert "photo2.jpg: 3 painters died of it" in result.stderr
    assert set(members(out)) == {f"photo{i}.jpg" for i in (0, 1, 3, 4, 5)}
    [row] = [row for row in rows(out.with_suffix(".csv")) if row["status"] == "failed"]
    assert row["photo"] == "photo2.jpg"

    assert run_on_ray(photos, out, "--captions", captions, "--update").exit_code == 0
    assert run_here(photos, captions.parent / "one.zip", "--captions", captions).exit_code == 0
    assert out.read_bytes() == (captions.parent / "one.zip").read_bytes()


@pytest.mark.slow
def test_nodes_may_leave_and_join_while_a_job_runs(
    start_driver: Start, run_here: Run, head: Any, add_node: AddNode, photos: Path, captions: Path
) -> None:
    out = captions.parent / "two.zip"
    slowly = ("--captions", captions, "--steps", 60)
    leaving = add_node()
    driver = start_driver(photos, out, *slowly)
    wait_until(lambda: saved(out) > 0 or driver.poll() is not None)
    head.remove_node(leaving, allow_graceful=False)
    add_node()
    _, stderr = driver.communicate(timeout=PATIENCE_SECONDS)
    assert driver.returncode == 0, stderr
    assert ": others paint its chunks" in stderr
    assert run_here(photos, captions.parent / "one.zip", *slowly).exit_code == 0
    assert out.read_bytes() == (captions.parent / "one.zip").read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_a_driver_that_is_stopped_leaves_no_painter_and_its_job_can_be_continued(
    start_driver: Start,
    run_on_ray: Run,
    run_here: Run,
    add_node: AddNode,
    photos: Path,
    captions: Path,
    number: signal.Signals,
    code: int,
) -> None:
    out = captions.parent / "two.zip"
    slowly = ("--captions", captions, "--steps", 60)
    add_node()
    driver = start_driver(photos, out, *slowly)
    wait_until(lambda: saved(out) > 0 or driver.poll() is not None)
    driver.send_signal(number)
    _, stderr = driver.communicate(timeout=PATIENCE_SECONDS)
    assert driver.returncode == code, stderr
    assert "Traceback" not in stderr
    wait_until(lambda: painters() == 0)
    assert 0 < saved(out) < 6
    result = run_on_ray(photos, out, *slowly)
    assert result.exit_code == 0, result.stderr
    assert " of them already done" in result.stderr
    assert run_here(photos, captions.parent / "one.zip", *slowly).exit_code == 0
    assert out.read_bytes() == (captions.parent / "one.zip").read_bytes()
