"""A process for each device, painting chunks of one job.

The processes get chunks by a pipe and send JPEGs back; the job's own process saves them. A chunk
whose process dies is done by another.
"""

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any

import diffusers
import transformers

from monetize.checkpoints.resolve import Checkpoint
from monetize.devices import Placement
from monetize.errors import MonetizeError, PaintingError
from monetize.images.color_transfer import Palette
from monetize.job.executors.local import ChunkPainter, Made, Task, paint_here
from monetize.painting.batching import Batches
from monetize.progress import Reporter, Stage
from monetize.settings import PaintSettings, RunSettings

# One is painted, one waits, so that the device never does.
CHUNKS_EACH = 2
# How long a process waits for another chunk before it finishes the one on the device.
PATIENCE_SECONDS = 0.5


@dataclass
class Worker:
    """A process, and the chunks that it was sent and has not sent back."""

    placement: Placement
    process: BaseProcess
    pipe: Connection
    tasks: list[Task] = field(default_factory=list)


class Crew:
    """The processes of a job, for as long as the `with` block lasts."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        placements: Sequence[Placement],
        settings: PaintSettings,
        job: RunSettings,
        number: int,
        palette: Palette | None,
        reporter: Reporter,
    ) -> None:
        """Start them; each loads a painter as a single device would for all `number` pictures."""
        self._reporter = reporter
        context = multiprocessing.get_context("spawn")  # CUDA does not survive a fork
        self.workers = []
        for placement in placements:
            pipe, theirs = context.Pipe()
            args = (theirs, checkpoint, placement, settings, job, number, palette)
            process = context.Process(target=_work, args=args, daemon=True)
            process.start()
            theirs.close()  # so that the pipe ends with the process
            self.workers.append(Worker(placement, process, pipe))

    def __enter__(self) -> "Crew":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self.workers:
            worker.pipe.close()
            worker.process.terminate()  # it holds nothing that is not painted anew
        for worker in self.workers:
            worker.process.join()

    def paint(self, tasks: Iterator[Task]) -> Iterator[tuple[Task, Made]]:
        """Paint chunks, in any order; a task is taken from the iterator when a process wants it.

        Raises PaintingError when no process is left, and what a process raised.
        """
        left_over = deque[Task]()
        while True:
            self._send(left_over, tasks)
            busy = [worker for worker in self.workers if worker.tasks]
            if not busy:
                return
            for pipe in wait([worker.pipe for worker in busy]):
                [worker] = (worker for worker in busy if worker.pipe is pipe)
                try:
                    kind, content = worker.pipe.recv()
                except (EOFError, OSError):
                    self._bury(worker, left_over)
                    continue
                if kind == "made":
                    yield worker.tasks.pop(0), content
                elif kind == "error":
                    raise content
                else:
                    getattr(self._reporter, kind)(f"{worker.placement.device}: {content}")

    def _send(self, left_over: deque[Task], tasks: Iterator[Task]) -> None:
        for _ in range(CHUNKS_EACH):
            for worker in list(self.workers):
                if len(worker.tasks) == CHUNKS_EACH:
                    continue
                task = left_over.popleft() if left_over else next(tasks, None)
                if task is None:
                    return
                worker.tasks.append(task)
                try:
                    worker.pipe.send(task)
                except OSError:
                    self._bury(worker, left_over)

    def _bury(self, worker: Worker, left_over: deque[Task]) -> None:
        """Go on without a process that has died."""
        worker.process.join()
        self.workers.remove(worker)
        left_over.extend(worker.tasks)
        death = f"the process that painted on {worker.placement.device} died"
        death += f" (exit code {worker.process.exitcode})"
        if not self.workers:
            raise PaintingError(f"{death}, and no other is left")
        self._reporter.warn(f"{death}: its chunks are painted by the others")


class Sender(Reporter):
    """Sends what there is to tell through a pipe."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def say(self, text: str) -> None:
        """Send a line of information."""
        self._pipe.send(("say", text))

    def warn(self, text: str) -> None:
        """Send a warning."""
        self._pipe.send(("warn", text))


def _work(
    pipe: Connection,
    checkpoint: Checkpoint,
    placement: Placement,
    settings: PaintSettings,
    job: RunSettings,
    number: int,
    palette: Palette | None,
) -> None:
    """Paint what comes through the pipe, until it ends or the job's process ends this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the job's process to handle
    for library in (diffusers, transformers):
        library.utils.logging.disable_progress_bar()
    try:
        batches = Batches.load(checkpoint, placement, settings, number, Sender(pipe))
        with ChunkPainter(batches, job, palette) as painter:
            for _, made in paint_here(painter, _received(pipe), Stage()):
                pipe.send(("made", made))
    except MonetizeError as error:
        pipe.send(("error", error))
    except (EOFError, BrokenPipeError):
        pass  # the job is over


def _received(pipe: Connection) -> Iterator[Task | None]:
    while True:
        if not pipe.poll(PATIENCE_SECONDS):
            yield None
        task: Any = pipe.recv()
        yield task
