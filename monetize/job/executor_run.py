"""One run of an executor: sends it chunks, and saves in the workspace what it has painted."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field

from monetize.job.deadline import Deadline
from monetize.job.executors.base import Chunk, Executor, LostChunk, PaintedChunk
from monetize.job.painting_store import NewPainting
from monetize.job.plan import Item
from monetize.job.workspace import Workspace
from monetize.messages import name_some
from monetize.progress import Reporter, Stage
from monetize.settings import PaintSettings, flags


@dataclass
class ExecutorRun:
    """Paints chunks with `settings`, or with those that the `deadline` allows.

    `failed` tells why a photo was given up, by its key.
    """

    executor: Executor
    settings: PaintSettings
    workspace: Workspace
    deadline: Deadline | None
    reporter: Reporter
    failed: dict[str, str] = field(default_factory=dict, init=False)
    in_flight: int = field(default=0, init=False)  # chunks sent that have not come back

    def paint(
        self, parts: Iterator[tuple[int, Sequence[Item]]], count: int, progress: Stage
    ) -> Iterator[int]:
        """Paint numbered parts, at most `count`; yields the number of each once it is saved.

        Raises PaintingError and StorageError.
        """
        for chunk, painted in self.executor.paint(self._send(parts, count), progress):
            self.in_flight -= 1
            if isinstance(painted, LostChunk):
                self._give_up(chunk, painted.reason)
                continue
            begin = time.monotonic()
            if self.executor.plan is not None:
                self.workspace.record.keep_batch_plan(asdict(self.executor.plan))
            self._save(chunk, painted)
            progress.advance(len(chunk.items))
            if self.deadline is not None:
                saving = 0.0 if self.executor.overlapping else time.monotonic() - begin
                self.deadline.took(chunk.settings, painted.seconds + saving, painted.device)
            yield chunk.number

    def _send(self, parts: Iterator[tuple[int, Sequence[Item]]], count: int) -> Iterator[Chunk]:
        for sent, (number, items) in enumerate(parts):
            settings = self.settings
            if self.deadline is not None:
                settings = self.deadline.next(count - sent, self.in_flight)
            self.in_flight += 1
            yield Chunk(number, items, settings)

    def _give_up(self, chunk: Chunk, reason: str) -> None:
        photos = [item.photo for item in chunk.items]
        self.reporter.warn(f"given up: {name_some(photos)}: {reason}")
        self.failed |= dict.fromkeys(photos, reason)

    def _save(self, chunk: Chunk, painted: PaintedChunk) -> None:
        settings = flags(vars(chunk.settings), self.settings)
        paintings = [
            NewPainting(
                item.identity,
                item.file,
                painted.files[item.file],
                painted.evaluations,
                item.file in painted.flagged,
                settings,
            )
            for item in chunk.items
        ]
        self.workspace.paintings.save(chunk.number, paintings)
