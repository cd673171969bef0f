"""Workers on a cluster that come, get chunks, and go: the driver's part.

Each worker is a Ray actor with the methods `hello`, `load` and `work`. One more than there is room
for always waits, so that a node that joins is used. When a worker dies, others get its chunks; a
chunk that has killed three is given up.
"""

import re
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from monetize.errors import MonetizeError, PaintingError, UsageError
from monetize.job.executors.assignment import Assignment, Numbered
from monetize.job.executors.base import LostChunk
from monetize.job.executors.ray.cluster import RayCluster
from monetize.job.executors.ray.nodes import NodeFacts
from monetize.job.executors.ray.work import Answer, Call, Work, Worker
from monetize.job.report import library_versions
from monetize.messages import counted, first_line
from monetize.progress import Reporter, Stage

C = TypeVar("C", bound=Numbered)

# How often to look for free devices, and whether an idle worker should take over a chunk.
LOOK_SECONDS = 1
# How long a job may wait for its first worker before that is reported.
PATIENCE_SECONDS = 30
# How many workers a chunk may kill, or die one after the other before they have loaded.
MOST_DEATHS = 3
# How many may die one after the other before they say hello: also those that were about to get a
# place on a node that leaves.
MOST_FAILED_STARTS = 30
MISSING = "monetize is not installed there"


class RayPool(Generic[C]):
    """The workers of one stage of a job."""

    def __init__(
        self,
        cluster: RayCluster,
        work: Work[C],
        chunks: int,
        reporter: Reporter,
        decision: object = None,
        most: int | None = None,
    ) -> None:
        """Start no more workers than there are chunks, or than `most`.

        `decision` is what all workers load with, None if the first one decides.
        """
        self.decision = decision
        self._ray = cluster.ray
        self._cluster = cluster
        self._work = work
        self._left = chunks
        self._most = most or chunks
        self._reporter = reporter
        self._workers: dict[int, Worker] = {}
        self._calls: dict[Any, Call] = {}
        self._started = 0
        self._decides: Worker | None = None
        self._deaths = Counter[int]()
        self._failed_starts = Counter[bool]()  # of workers without a place, and with one
        self._told = set[str]()
        self._next_look = 0.0
        self._begin = time.monotonic()

    def close(self) -> None:
        """End all workers at once; whatever they hold is worked on later."""
        for worker in self._workers.values():
            self._ray.kill(worker.actor)
        self._workers.clear()
        self._calls.clear()

    def run(self, chunks: Iterator[C], progress: Stage) -> Iterator[tuple[C, Any]]:
        """Yield chunks with what a worker returned, or with why they are given up.

        Raises what a worker raises, and PaintingError if workers only die.
        """
        assignment = Assignment(chunks)
        while True:
            self._grow()
            self._send(assignment)
            if assignment.all_done:
                return
            self._show(progress)
            for ref, call in self._answered():
                try:
                    answer = self._ray.get(ref)
                except self._ray.exceptions.RayTaskError as error:
                    if isinstance(error.cause, MonetizeError):
                        raise error.cause from None
                    raise
                except self._ray.exceptions.RayError as error:
                    yield from self._bury(call.worker, assignment, error)
                    continue
                if call.method == "hello":
                    self._welcome(call.worker, answer)
                elif call.method == "load":
                    self._ready(call.worker, answer, assignment)
                else:
                    self._pass_on(call.worker, answer.notes)
                    chunk = assignment.finish(call.worker.number, call.chunk)
                    if chunk is not None:
                        self._left -= 1
                        yield chunk, answer.result

    def _grow(self) -> None:
        """Start workers for all free devices and, as nodes may join, one that waits for a place."""
        now = time.monotonic()
        if now < self._next_look or any(not each.node for each in self._workers.values()):
            return
        self._next_look = now + LOOK_SECONDS
        free = max(1, self._cluster.free_room(self._work.needs))
        for _ in range(min(free, min(self._left, self._most) - len(self._workers))):
            remote = self._ray.remote(self._work.worker_class).options(
                # One works while the next waits, see `Assignment`.
                max_concurrency=2, max_restarts=0, max_task_retries=0, **self._work.needs
            )  # fmt: skip
            worker = Worker(self._started, remote.remote())
            self._workers[worker.number] = worker
            self._started += 1
            self._call(worker, "hello", self._work.device_type)

    def _call(self, worker: Worker, method: str, *arguments: Any, chunk: int | None = None) -> None:
        ref = getattr(worker.actor, method).remote(*arguments)
        self._calls[ref] = Call(worker, method, chunk)

    def _send(self, assignment: Assignment[C]) -> None:
        for number, chunk in assignment.assign():
            arguments = self._work.chunk_arguments(chunk)
            self._call(self._workers[number], "work", *arguments, chunk=chunk.number)

    def _answered(self) -> Iterator[tuple[Any, Call]]:
        """Wait a while for answers, and yield them with their calls."""
        if not self._calls:
            time.sleep(LOOK_SECONDS)
            return
        for ref in self._ray.wait(list(self._calls), timeout=LOOK_SECONDS)[0]:
            yield ref, self._calls.pop(ref)

    def _welcome(self, worker: Worker, facts: NodeFacts) -> None:
        """Count on a worker that has a place, and load its model."""
        worker.node = facts
        self._next_look = 0.0  # another may find room
        self._check_versions(facts)
        nodes = [each.node for each in self._workers.values() if each.node]
        kinds = Counter(node.device for node in nodes)
        if len(kinds) > 1:
            self._tell(
                "devices of several kinds work on this job, so bytes depend on which of them gets "
                f"which photo: {', '.join(sorted(kinds))}"
            )
        if self.decision is not None or self._decides is None:
            self._load(worker)

    def _load(self, worker: Worker) -> None:
        if self.decision is None:
            self._decides = worker
        self._call(worker, "load", *self._work.load_arguments(self.decision))

    def _ready(self, worker: Worker, answer: Answer, assignment: Assignment[C]) -> None:
        self._pass_on(worker, answer.notes)
        worker.loaded = True
        self._failed_starts.clear()
        assignment.join(worker.number)
        if self.decision is None:
            self.decision = answer.result
            for each in self._workers.values():
                if each.node and each is not worker:
                    self._load(each)

    def _bury(
        self, worker: Worker, assignment: Assignment[C], error: Exception
    ) -> Iterator[tuple[C, LostChunk]]:
        """Continue without a worker that has died; yields the chunks that are given up."""
        self._workers.pop(worker.number, None)
        self._calls = {ref: call for ref, call in self._calls.items() if call.worker is not worker}
        self._ray.kill(worker.actor)  # it may only be out of reach
        where = worker.node.name if worker.node else "a node"
        death = f"the {self._work.noun} on {where} died ({_cause(error)})"
        if not worker.loaded:
            self._count_failed_start(death, placed=worker.node is not None)
        if worker.node:
            self._next_look = 0.0  # another takes its place
            self._reporter.warn(f"{death}: others {self._work.verb} its chunks")
        if worker is self._decides and self.decision is None:
            self._decides = None
            if waiting := [each for each in self._workers.values() if each.node]:
                self._load(waiting[0])
        for chunk in assignment.leave(worker.number):
            self._deaths[chunk.number] += 1
            if self._deaths[chunk.number] == MOST_DEATHS:
                assignment.drop(chunk)
                self._left -= 1
                yield chunk, LostChunk(f"{MOST_DEATHS} {self._work.noun}s died of it")

    def _count_failed_start(self, death: str, *, placed: bool) -> None:
        """Raise PaintingError if workers do nothing but die."""
        self._failed_starts[placed] += 1
        most = MOST_DEATHS if placed else MOST_FAILED_STARTS
        if MISSING in death or self._failed_starts[placed] == most:
            raise PaintingError(f"workers die before they have loaded: {death}")

    def _check_versions(self, facts: NodeFacts) -> None:
        """Raise UsageError for another monetize on a node; warn of other libraries."""
        here = library_versions()
        name = "monetize"
        if facts.versions[name] != here[name]:
            raise UsageError(
                f"the node {facts.name} has {name} {facts.versions[name]}, and this machine "
                f"{here[name]}: install the same on both, or send it with Ray's runtime_env"
            )
        other = [each for each in here if facts.versions[each] != here[each]]
        if other:
            versions = ", ".join(
                f"{each} {facts.versions[each]} instead of {here[each]}" for each in other
            )
            self._tell(f"the node {facts.name} has {versions}: bytes may differ")

    def _pass_on(self, worker: Worker, notes: list[tuple[str, str]]) -> None:
        node = worker.node.name if worker.node else "a node"
        for method, text in notes:
            getattr(self._reporter, method)(f"{node}: {text}")

    def _tell(self, warning: str) -> None:
        """Warn, but once."""
        if warning not in self._told:
            self._told.add(warning)
            self._reporter.warn(warning)

    def _show(self, progress: Stage) -> None:
        if time.monotonic() - self._begin > PATIENCE_SECONDS and not any(
            each.node for each in self._workers.values()
        ):
            needs = ", ".join(
                f"{amount:g} {name.removeprefix('num_')}"
                for name, amount in self._work.needs.items()
                if amount
            )
            self._tell(f"no node has room for a {self._work.noun} ({needs}): waiting for one")
        loaded = sum(each.loaded for each in self._workers.values())
        placed = sum(each.node is not None for each in self._workers.values())
        loading = f", {placed - loaded} loading" if placed > loaded else ""
        progress.step(f"{counted(loaded, self._work.noun)}{loading}")


def _cause(error: Exception) -> str:
    """Why an actor died, as far as Ray says, in one line."""
    if "No module named 'monetize" in str(error):
        return f"{MISSING}: install it, or send it with Ray's runtime_env"
    detail = re.search(r"Worker exit detail: ([^.]+)\.", str(error))
    return detail[1] if detail else first_line(error, 120)
