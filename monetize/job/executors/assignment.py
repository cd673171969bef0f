"""Which worker paints which chunk: no device is idle, and a slow one does not hold up the job.

A worker gets a second chunk, which waits until the first is done, only after it has finished one:
until then nobody knows how slow it is. When no chunk is left, an idle worker paints one that
another has but would finish later; whichever is done first counts.

A chunk whose worker died may be what killed it: from then on it is painted alone, by one worker.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

# One is painted while the next waits, so that the device never does.
CHUNKS_PER_WORKER = 2
# A chunk that takes this many times as long as the one before may never come.
OVERDUE = 2


class Numbered(Protocol):
    """A chunk of any kind of work."""

    @property
    def number(self) -> int:
        """Its place in the job's plan."""


C = TypeVar("C", bound=Numbered)


@dataclass
class Share(Generic[C]):
    """What one worker was sent and has not finished, and how long a chunk takes it.

    `pace` is None until the first chunk is done; `begun` is when its current one was begun.
    """

    chunks: list[C] = field(default_factory=list)
    pace: float | None = None
    begun: float = 0.0

    def expected_end(self, chunk: C, now: float) -> float | None:
        """When it will finish this chunk of its own; None if that is unknown."""
        if self.pace is None or now - self.begun > OVERDUE * self.pace:
            return None
        return max(now, self.begun + self.pace * (1 + self.chunks.index(chunk)))


class Assignment(Generic[C]):
    """Gives the chunks of a job to workers, which are known by their numbers."""

    def __init__(self, chunks: Iterator[C], clock: Callable[[], float] = time.monotonic) -> None:
        self._chunks = chunks
        self._clock = clock
        self._exhausted = False
        self._returned = deque[C]()
        self._shares: dict[int, Share[C]] = {}
        self._done = set[int]()
        self._suspects = set[int]()

    @property
    def all_done(self) -> bool:
        """Whether every chunk is done."""
        return self._exhausted and not self._returned and not any(self._open_chunks())

    @property
    def some_idle(self) -> bool:
        """Whether a worker has nothing to do, and may take over what another has."""
        return any(not share.chunks for share in self._shares.values())

    def join(self, worker: int) -> None:
        """Count on a worker that has loaded its model."""
        self._shares[worker] = Share()

    def leave(self, worker: int) -> list[C]:
        """Stop counting on a worker that has died: others paint its chunks, which are returned."""
        lost = self._shares.pop(worker, Share[C]()).chunks
        lost = [chunk for chunk in lost if chunk.number not in self._done]
        self._suspects.update(chunk.number for chunk in lost)
        held = {chunk.number for _, chunk in self._open_chunks()}
        self._returned.extend(chunk for chunk in lost if chunk.number not in held)
        return lost

    def drop(self, chunk: C) -> None:
        """Give a chunk up; it counts as done."""
        self._done.add(chunk.number)
        self._returned = deque(each for each in self._returned if each.number != chunk.number)

    def assign(self) -> Iterator[tuple[int, C]]:
        """Yield the chunks to send now, and to which worker.

        A worker may leave while this runs.
        """
        for held in range(CHUNKS_PER_WORKER):
            for worker, share in list(self._shares.items()):
                if worker not in self._shares or len(share.chunks) != held:
                    continue
                if held and (share.pace is None or share.chunks[0].number in self._suspects):
                    continue
                chunk = self._next(alone=not held)
                if chunk is None and not held:
                    chunk = self._to_take_over(share)
                if chunk is None:
                    continue
                if not held:
                    share.begun = self._clock()
                share.chunks.append(chunk)
                yield worker, chunk

    def finish(self, worker: int, number: int | None = None) -> C | None:
        """Count a worker's chunk as done, its first unless numbered; None if another was faster."""
        share = self._shares[worker]
        numbers = [chunk.number for chunk in share.chunks]
        chunk = share.chunks.pop(0 if number is None else numbers.index(number))
        now = self._clock()
        share.pace, share.begun = now - share.begun, now
        if chunk.number in self._done:
            return None
        self._done.add(chunk.number)
        return chunk

    def _next(self, *, alone: bool) -> C | None:
        """The next chunk; a suspect only for a worker that has nothing else."""
        if self._returned and alone:
            return self._returned.popleft()
        chunk = next(self._chunks, None)
        self._exhausted = chunk is None
        return chunk

    def _open_chunks(self) -> Iterator[tuple[Share[C], C]]:
        """The chunks that are held and not done, each with who holds it."""
        for share in self._shares.values():
            for chunk in share.chunks:
                if chunk.number not in self._done:
                    yield share, chunk

    def _to_take_over(self, idle: Share[C]) -> C | None:
        """The chunk that is expected last, if the idle worker would finish it sooner."""
        if idle.pace is None:
            return None
        now = self._clock()
        held = [chunk.number for _, chunk in self._open_chunks()]
        ends = []
        for share, chunk in self._open_chunks():
            if held.count(chunk.number) > 1 or chunk.number in self._suspects:
                continue  # two are on it already, or it might kill a second worker
            end = share.expected_end(chunk, now)
            if end is None and now - share.begun > idle.pace:
                end = math.inf
            if end is not None and now + idle.pace < end:
                ends.append((end, chunk.number, chunk))
        return max(ends)[2] if ends else None
