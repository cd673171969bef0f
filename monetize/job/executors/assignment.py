"""Which worker paints which chunk: no device is idle, and a slow one does not hold up the job.

A worker gets a second chunk, which waits until the first is done, only after it has finished one:
until then nobody knows how slow it is. When no chunk is left, an idle worker paints one that
another has but would finish later; whichever is done first counts.
"""

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from monetize.job.executors.base import Chunk

# One is painted while the next waits, so that the device never does.
CHUNKS_PER_WORKER = 2
# A chunk that takes this many times as long as the one before may never come.
OVERDUE = 2


@dataclass
class Share:
    """What one worker was sent and has not finished, and how long a chunk takes it.

    `pace` is None until the first chunk is done; `begun` is when its current one was begun.
    """

    chunks: list[Chunk] = field(default_factory=list)
    pace: float | None = None
    begun: float = 0.0

    def expected_end(self, chunk: Chunk, now: float) -> float | None:
        """When it will finish this chunk of its own; None if that is unknown."""
        if self.pace is None or now - self.begun > OVERDUE * self.pace:
            return None
        return max(now, self.begun + self.pace * (1 + self.chunks.index(chunk)))


class Assignment:
    """Gives the chunks of a job to workers, which are known by their numbers."""

    def __init__(
        self, chunks: Iterator[Chunk], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._chunks = chunks
        self._clock = clock
        self._exhausted = False
        self._returned = deque[Chunk]()
        self._shares: dict[int, Share] = {}
        self._done = set[int]()

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

    def leave(self, worker: int) -> None:
        """Stop counting on a worker that has died: others paint its chunks."""
        lost = self._shares.pop(worker, Share()).chunks
        held = {chunk.number for _, chunk in self._open_chunks()}
        self._returned.extend(
            chunk for chunk in lost if chunk.number not in held and chunk.number not in self._done
        )

    def assign(self) -> Iterator[tuple[int, Chunk]]:
        """Yield the chunks to send now, and to which worker.

        A worker may leave while this runs.
        """
        for held in range(CHUNKS_PER_WORKER):
            for worker, share in list(self._shares.items()):
                if worker not in self._shares or len(share.chunks) != held:
                    continue
                if held and share.pace is None:
                    continue
                chunk = self._next() or (None if held else self._to_take_over(share))
                if chunk is None:
                    continue
                if not held:
                    share.begun = self._clock()
                share.chunks.append(chunk)
                yield worker, chunk

    def finish(self, worker: int) -> Chunk | None:
        """Count a worker's current chunk as done; returns None if another was faster."""
        share = self._shares[worker]
        chunk, now = share.chunks.pop(0), self._clock()
        share.pace, share.begun = now - share.begun, now
        if chunk.number in self._done:
            return None
        self._done.add(chunk.number)
        return chunk

    def _next(self) -> Chunk | None:
        if self._returned:
            return self._returned.popleft()
        chunk = next(self._chunks, None)
        self._exhausted = chunk is None
        return chunk

    def _open_chunks(self) -> Iterator[tuple[Share, Chunk]]:
        """The chunks that are held and not done, each with who holds it."""
        for share in self._shares.values():
            for chunk in share.chunks:
                if chunk.number not in self._done:
                    yield share, chunk

    def _to_take_over(self, idle: Share) -> Chunk | None:
        """The chunk that is expected last, if the idle worker would finish it sooner."""
        if idle.pace is None:
            return None
        now = self._clock()
        held = [chunk.number for _, chunk in self._open_chunks()]
        ends = []
        for share, chunk in self._open_chunks():
            if held.count(chunk.number) > 1:
                continue  # two are on it already
            end = share.expected_end(chunk, now)
            if end is None and now - share.begun > idle.pace:
                end = math.inf
            if end is not None and now + idle.pace < end:
                ends.append((end, chunk.number, chunk))
        return max(ends)[2] if ends else None
