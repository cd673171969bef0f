"""Workers that come and go, on a cluster that is only a list of answers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from helpers import Listener

from monetize.errors import CheckpointError, PaintingError, UsageError
from monetize.job.executors.base import LostChunk
from monetize.job.executors.ray import pool
from monetize.job.executors.ray.cluster import RayCluster
from monetize.job.executors.ray.nodes import NodeFacts
from monetize.job.executors.ray.pool import RayPool
from monetize.job.executors.ray.work import Answer, Work
from monetize.job.report import library_versions
from monetize.progress import Stage
from monetize.settings import DeviceSettings, ExecutorSettings


@dataclass(frozen=True)
class Numbers:
    """A chunk."""

    number: int


class Death(Exception):
    """Raised by a worker's method: its process has died."""


class RayError(Exception):
    """What Ray raises for a worker that has died."""


class RayTaskError(RayError):
    """What Ray raises for an exception in a worker."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class FakeRay:
    """Calls methods of actors when their answers are waited for; only some actors have a place."""

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(self, places: int) -> None:
        self.places = places
        self.actors: list[FakeActor] = []

    def remote(self, worker_class: type) -> "FakeRay":
        self._class = worker_class
        return self

    def options(self, **_: object) -> Any:
        class Remote:
            @staticmethod
            def remote() -> FakeActor:
                self.actors.append(FakeActor(self._class()))
                return self.actors[-1]

        return Remote

    def kill(self, actor: "FakeActor") -> None:
        actor.killed = True

    def wait(self, calls: list[Any], timeout: float) -> tuple[list[Any], list[Any]]:
        placed = [actor for actor in self.actors if not actor.killed][: self.places]
        ready = [call for call in calls if call.actor in placed]
        return ready[:1], ready[1:]

    def get(self, call: Any) -> Any:
        try:
            return call.function()
        except Death as death:
            raise RayError(str(death)) from None
        except Exception as error:
            raise RayTaskError(error) from None

    def available_resources(self) -> dict[str, float]:
        return {"CPU": max(0, self.places - sum(not actor.killed for actor in self.actors))}


class FakeActor:
    """The handle of a worker."""

    def __init__(self, worker: Any) -> None:
        self.worker = worker
        self.killed = False

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.worker, name)

        class Method:
            @staticmethod
            def remote(*args: object) -> Any:
                return FakeCall(self, lambda: method(*args))

        return Method


@dataclass(frozen=True)
class FakeCall:
    """A call that has not been made yet."""

    actor: FakeActor
    function: Callable[[], Any]


class GoodWorker:
    """Squares numbers."""

    facts = NodeFacts("node", library_versions(), "CPU")

    def hello(self, device_type: str) -> NodeFacts:
        return self.facts

    def load(self, decision: object) -> Answer:
        return Answer(decision or "decided", [])

    def work(self, number: int) -> Answer:
        return Answer(number**2, [])


def squares(
    worker_class: type, places: int = 2, chunks: int = 5, reporter: Listener | None = None
) -> dict[int, Any]:
    """The results of a job by the numbers of its chunks."""
    fake = FakeRay(places)
    said = reporter or Listener()
    cluster = RayCluster(fake, ExecutorSettings("ray"), DeviceSettings(), said)
    work = Work[Numbers](
        worker_class, {"num_cpus": 1}, "cpu", lambda decision: (decision,),
        lambda chunk: (chunk.number,), "painter", "paint",
    )  # fmt: skip
    pool = RayPool(cluster, work, chunks, said)
    numbers: Iterator[Numbers] = map(Numbers, range(chunks))
    try:
        return {chunk.number: result for chunk, result in pool.run(numbers, Stage())}
    finally:
        pool.close()
        assert all(actor.killed for actor in fake.actors)


def test_every_chunk_is_worked_on() -> None:
    assert squares(GoodWorker) == {0: 0, 1: 1, 2: 4, 3: 9, 4: 16}
    assert squares(GoodWorker, places=1) == {0: 0, 1: 1, 2: 4, 3: 9, 4: 16}


def test_all_workers_load_what_the_first_decides() -> None:
    loaded: list[object] = []

    class Noting(GoodWorker):
        def load(self, decision: object) -> Answer:
            loaded.append(decision)
            return super().load(decision)

    squares(Noting, places=3)
    assert loaded[0] is None
    assert set(loaded[1:]) <= {"decided"}


def test_another_decides_if_the_first_dies() -> None:
    loads: list[object] = []

    class DiesFirst(GoodWorker):
        def load(self, decision: object) -> Answer:
            loads.append(decision)
            if len(loads) == 1:
                raise Death
            return super().load(decision)

    assert len(squares(DiesFirst)) == 5
    assert loads[:2] == [None, None]


def test_a_chunk_that_kills_three_is_given_up_and_the_others_are_done() -> None:
    class Poisoned(GoodWorker):
        def work(self, number: int) -> Answer:
            if number == 3:
                raise Death
            return super().work(number)

    said = Listener()
    done = squares(Poisoned, reporter=said)
    assert done.pop(3) == LostChunk("3 painters died of it")
    assert done == {0: 0, 1: 1, 2: 4, 4: 16}
    deaths = [text for text in said.warnings if "the painter on node died" in text]
    assert len(deaths) == 3


def test_a_chunk_beside_one_that_kills_is_done() -> None:
    """With one worker, what waited behind the poison was lost with it, but is not blamed."""

    class Poisoned(GoodWorker):
        def work(self, number: int) -> Answer:
            if number == 1:
                raise Death
            return super().work(number)

    done = squares(Poisoned, places=1)
    assert [number for number, result in done.items() if isinstance(result, LostChunk)] == [1]


def test_workers_that_die_while_loading_end_the_job() -> None:
    class Broken(GoodWorker):
        def load(self, decision: object) -> Answer:
            raise Death("no memory")

    with pytest.raises(PaintingError, match=r"workers die before .*on node died \(no memory\)"):
        squares(Broken)


def test_workers_that_never_get_a_place_end_the_job_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The node that they were about to be on may have left."""
    monkeypatch.setattr(pool, "LOOK_SECONDS", 0)
    deaths: list[None] = []

    class Cancelled(GoodWorker):
        def hello(self, device_type: str) -> NodeFacts:
            if len(deaths) < 20:
                deaths.append(None)
                raise Death("scheduling cancelled")
            return super().hello(device_type)

    said = Listener()
    assert len(squares(Cancelled, reporter=said)) == 5
    assert said.warnings == []
    deaths.clear()
    monkeypatch.setattr(pool, "MOST_FAILED_STARTS", 10)
    with pytest.raises(PaintingError, match="workers die before they have loaded"):
        squares(Cancelled)


def test_a_node_without_monetize_is_told() -> None:
    class Missing(GoodWorker):
        def hello(self, device_type: str) -> NodeFacts:
            raise Death("creation failed: No module named 'monetize'")

    with pytest.raises(PaintingError, match="monetize is not installed there: install it"):
        squares(Missing)


def test_what_a_worker_raises_is_raised() -> None:
    class Failing(GoodWorker):
        def load(self, decision: object) -> Answer:
            raise CheckpointError("no such folder")

    with pytest.raises(CheckpointError, match="no such folder"):
        squares(Failing)


def test_a_node_with_another_monetize_is_refused() -> None:
    class Old(GoodWorker):
        facts = NodeFacts("node7", {**library_versions(), "monetize": "0.0.1"}, "CPU")

    with pytest.raises(UsageError, match=r"node7 has monetize 0\.0\.1, and this machine"):
        squares(Old)


def test_other_libraries_and_kinds_of_devices_are_told_once() -> None:
    kinds = iter(["A10", "T4", "T4", "T4", "T4"])

    class Mixed(GoodWorker):
        def hello(self, device_type: str) -> NodeFacts:
            return NodeFacts("node", {**library_versions(), "pillow": "1.0"}, next(kinds))

    said = Listener()
    squares(Mixed, places=3, reporter=said)
    assert len(said.warnings) == 2
    assert any("has pillow 1.0 instead of" in text for text in said.warnings)
    assert any("devices of several kinds" in text and "A10, T4" in text for text in said.warnings)


def test_what_workers_say_is_passed_on() -> None:
    class Talking(GoodWorker):
        def work(self, number: int) -> Answer:
            return Answer(0, [("warn", "out of memory")] if number == 2 else [])

    said = Listener()
    squares(Talking, reporter=said)
    assert said.warnings == ["node: out of memory"]


def test_a_job_that_no_node_has_room_for_says_what_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "PATIENCE_SECONDS", -1)
    said = Listener()
    squares(GoodWorker, reporter=said)
    assert said.warnings == ["no node has room for a painter (1 cpus): waiting for one"]


def test_the_cause_of_a_death_is_shown_in_few_words() -> None:
    class Killed(GoodWorker):
        def load(self, decision: object) -> Answer:
            raise Death("The actor died.\n Worker exit detail: Task ran out of memory. Some more.")

    with pytest.raises(PaintingError, match=r"died \(Task ran out of memory\)"):
        squares(Killed)
