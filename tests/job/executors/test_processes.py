"""Chunks painted by a process each; two on the CPU stand in for two GPUs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from multiprocessing import Pipe, active_children
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import Result
from helpers import CPU

from monetize.devices import Placement, every_device
from monetize.job.executors import processes
from monetize.job.executors.assignment import Assignment
from monetize.job.executors.base import Chunk
from monetize.job.executors.chunk_painter import ChunkPainterSpec
from monetize.job.executors.processes import WorkerPool
from monetize.job.workspace import Workspace
from monetize.painting import spec
from monetize.painting.batch_plan import BatchPlan
from monetize.settings import PaintSettings

Run = Callable[..., Result]


@pytest.fixture
def two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spec, "every_device", lambda placement: [placement] * 2)


def test_two_processes_write_the_same_bytes_as_one(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_job(photos, tmp_path / "one.zip").exit_code == 0
    monkeypatch.setattr(spec, "every_device", lambda placement: [placement] * 2)
    result = run_job(photos, tmp_path / "two.zip")
    assert result.exit_code == 0, result.stderr
    assert "on cpu, float32, 2 of them" in result.stderr
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


@pytest.mark.usefixtures("two_processes")
def test_the_chunks_of_a_process_that_dies_are_painted_by_the_other(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []

    def kill_after_sending(self: Assignment[Chunk]) -> Iterator[tuple[int, Chunk]]:
        for worker, chunk in assign(self):
            yield worker, chunk
            if not killed:
                process = sorted(active_children(), key=lambda each: each.pid or 0)[worker]
                process.kill()
                killed.append(worker)

    assign = Assignment.assign
    monkeypatch.setattr(Assignment, "assign", kill_after_sending)
    result = run_job(photos, tmp_path / "images.zip")
    assert result.exit_code == 0, result.stderr
    assert "the process on cpu died (exit code -9): the others paint its chunks" in result.stderr
    monkeypatch.undo()
    assert run_job(photos, tmp_path / "one.zip").exit_code == 0
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "images.zip").read_bytes()


@pytest.mark.usefixtures("two_processes")
def test_when_all_processes_are_dead_the_job_fails_and_can_be_resumed(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill_all(self: Assignment[Chunk]) -> Iterator[tuple[int, Chunk]]:
        yield from assign(self)
        for process in active_children():
            process.kill()

    assign = Assignment.assign
    monkeypatch.setattr(Assignment, "assign", kill_all)
    result = run_job(photos, tmp_path / "images.zip")
    assert result.exit_code == 1
    assert "(exit code -9), and no other is left" in result.stderr
    monkeypatch.undo()
    assert run_job(photos, tmp_path / "images.zip").exit_code == 0


@pytest.mark.slow
@pytest.mark.usefixtures("two_processes")
def test_an_error_in_a_process_is_the_jobs_error(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "images.zip"
    result = run_job(photos, out, "--weight", "a=1e38", "--style", "a lake")
    assert result.exit_code == 1
    assert "overflow float32 while painting" in result.stderr
    assert not out.exists()


@pytest.mark.usefixtures("two_processes")
def test_a_job_of_one_chunk_starts_no_second_process(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    monkeypatch.setattr("monetize.job.executors.WorkerPool", lambda *args: started.append(args))
    result = run_job(photos, tmp_path / "images.zip", "--batch-size", 6)
    assert result.exit_code == 0, result.stderr
    assert not started


@pytest.mark.slow
@pytest.mark.usefixtures("two_processes")
def test_all_processes_paint_batches_of_one_size_which_a_resumed_job_keeps(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans: list[BatchPlan | None] = []

    def note(specs: Sequence[ChunkPainterSpec], *args: Any) -> WorkerPool:
        plans.extend(spec.plan for spec in specs)
        return WorkerPool(specs, *args)

    monkeypatch.setattr("monetize.job.executors.WorkerPool", note)
    plan = BatchPlan(1, compiled=False)
    result = run_job(photos, tmp_path / "images.zip", "--keep-work")
    assert result.exit_code == 0, result.stderr
    assert plans == [plan, plan]
    assert Workspace(tmp_path / "images.zip").record.batch_plan == asdict(plan)


def test_cuda_without_a_number_is_every_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    cuda = Placement(torch.device("cuda"), torch.float16)
    assert [str(each.device) for each in every_device(cuda)] == ["cuda:0", "cuda:1"]
    second = Placement(torch.device("cuda:1"), torch.float16)
    assert every_device(second) == [second]
    assert every_device(CPU) == [CPU]


def test_a_process_that_waits_in_vain_is_told_to_finish_its_chunk() -> None:
    """Otherwise the last chunk of each would never come."""
    ours, theirs = Pipe()
    received = processes._receive(theirs)
    assert next(received) is None
    chunk = Chunk(7, [], PaintSettings())
    ours.send(chunk)
    assert next(received) == chunk
