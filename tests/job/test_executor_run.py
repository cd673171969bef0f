"""What is sent to an executor, and what becomes of the chunks that come back."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from helpers import Listener

from monetize.job.deadline import Deadline
from monetize.job.executor_run import ExecutorRun
from monetize.job.executors.base import Chunk, Executor, LostChunk, PaintedChunk
from monetize.job.plan import Item
from monetize.job.speed import Speed
from monetize.job.workspace import Workspace
from monetize.painting.batch_plan import BatchPlan
from monetize.painting.request import PaintRequest
from monetize.progress import Stage
from monetize.prompts.prompt import Prompt
from monetize.settings import PaintSettings

SETTINGS = PaintSettings(num_inference_steps=50, guidance_scale=7.5, scheduler="ddim")
REQUEST = PaintRequest(Prompt("a lake"), 0, ())
PARTS = {
    number: [Item(f"photo{number}.jpg", f"photo{number}.jpg", "a lake", REQUEST, f"id{number}")]
    for number in (3, 5, 8)
}


class FakeExecutor(Executor):
    """Paints two chunks at once, and loses those whose number is in `lost`."""

    overlapping = True
    plan = BatchPlan(2, compiled=False)

    def __init__(self, *lost: int) -> None:
        self.lost = lost
        self.settings: list[PaintSettings] = []

    def paint(
        self, chunks: Iterator[Chunk], progress: Stage
    ) -> Iterator[tuple[Chunk, PaintedChunk | LostChunk]]:
        waiting: list[Chunk] = []
        for chunk in chunks:
            self.settings.append(chunk.settings)
            waiting.append(chunk)
            if len(waiting) == 2:
                yield self._painted(waiting.pop(0))
        yield from map(self._painted, waiting)

    def close(self) -> None:
        pass

    def _painted(self, chunk: Chunk) -> tuple[Chunk, PaintedChunk | LostChunk]:
        if chunk.number in self.lost:
            return chunk, LostChunk("its worker died")
        files = {item.file: item.photo.encode() for item in chunk.items}
        return chunk, PaintedChunk(files, ["photo5.jpg"], 50, 1.0)


class StepByStep(Deadline):
    """Allows one step less for each chunk, and notes what it is asked and told."""

    def __init__(self) -> None:
        super().__init__(1000, Speed(1, 1), SETTINGS, Listener(), photos=3, chunks=3, begin=0)
        self.asked: list[tuple[int, int]] = []
        self.learned: list[tuple[int | None, float]] = []

    def next(self, chunks: int, in_flight: int) -> PaintSettings:
        self.asked.append((chunks, in_flight))
        return replace(SETTINGS, num_inference_steps=50 - len(self.asked))

    def took(self, settings: PaintSettings, seconds: float, device: int = 0) -> None:
        self.learned.append((settings.num_inference_steps, seconds))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace(tmp_path / "images.zip") as workspace:
        workspace.begin({}, [], {})
        yield workspace


def paint(run: ExecutorRun) -> list[int]:
    return list(run.paint(iter(PARTS.items()), len(PARTS), Stage()))


def test_each_chunk_is_saved_before_its_number_is_yielded(workspace: Workspace) -> None:
    run = ExecutorRun(FakeExecutor(), SETTINGS, workspace, None, Listener())
    for count, number in enumerate(run.paint(iter(PARTS.items()), len(PARTS), Stage()), 1):
        assert workspace.paintings.count() == count
        assert f"id{number}" in workspace.paintings.load().paintings
    saved = workspace.paintings.load().paintings
    assert {identity: each.path.read_bytes() for identity, each in saved.items()} == {
        f"id{number}": b"photo%d.jpg" % number for number in PARTS
    }
    assert {identity for identity, each in saved.items() if each.flagged} == {"id5"}
    assert {(each.evaluations, each.settings) for each in saved.values()} == {(50, "")}
    assert workspace.record.batch_plan == asdict(FakeExecutor.plan)


def test_the_photos_of_a_lost_chunk_are_given_up_with_the_reason(workspace: Workspace) -> None:
    listener = Listener()
    run = ExecutorRun(FakeExecutor(3), SETTINGS, workspace, None, listener)
    assert paint(run) == [5, 8]
    assert run.failed == {"photo3.jpg": "its worker died"}
    assert listener.warnings == ["given up: photo3.jpg: its worker died"]
    assert set(workspace.paintings.load().paintings) == {"id5", "id8"}


def test_a_deadline_chooses_the_settings_and_learns_how_long_they_took(
    workspace: Workspace,
) -> None:
    executor, deadline = FakeExecutor(), StepByStep()
    paint(ExecutorRun(executor, SETTINGS, workspace, deadline, Listener()))
    assert deadline.asked == [(3, 0), (2, 1), (1, 1)], "chunks to send, and those being painted"
    assert [settings.num_inference_steps for settings in executor.settings] == [49, 48, 47]
    assert deadline.learned == [(49, 1.0), (48, 1.0), (47, 1.0)]
    saved = workspace.paintings.load().paintings
    assert saved["id8"].settings == "--num-inference-steps 47"


def test_saving_counts_if_nothing_is_painted_meanwhile(workspace: Workspace) -> None:
    executor, deadline = FakeExecutor(), StepByStep()
    executor.overlapping = False
    paint(ExecutorRun(executor, SETTINGS, workspace, deadline, Listener()))
    assert all(seconds > 1.0 for _, seconds in deadline.learned)
