"""Paints the chunks of a job in a process for each device.

The workers say when they have loaded their models, get chunks through a pipe and send JPEGs back;
the job's own process saves them. When a worker dies, the others paint its chunks.
"""

import threading
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

import diffusers
import transformers

from monetize.child_process import start_child
from monetize.devices import try_out
from monetize.errors import MonetizeError, PaintingError
from monetize.job.executors.assignment import Assignment
from monetize.job.executors.base import Chunk, Executor, PaintedChunk
from monetize.job.executors.chunk_painter import ChunkPainterSpec
from monetize.painting.batch_plan import BatchPlan
from monetize.progress import Reporter, Stage

# How often to look whether an idle worker should take over what another does not finish.
LOOK_SECONDS = 1
# How long a worker waits for another chunk before it finishes the one on the device.
PATIENCE_SECONDS = 0.5
# How long a worker may take to stop before it is killed.
PATIENCE_TO_STOP_SECONDS = 5


@dataclass
class Worker:
    """A process for the chunks of a job, and our end of its pipe."""

    number: int
    spec: ChunkPainterSpec
    process: BaseProcess
    pipe: Connection

    @property
    def device(self) -> str:
        """The name of its device."""
        return str(self.spec.painter.placement.device)


class WorkerPool(Executor):
    """The processes of a job."""

    overlapping = True

    def __init__(
        self, specs: Sequence[ChunkPainterSpec], plan: BatchPlan, reporter: Reporter
    ) -> None:
        """Start a process for each spec, which loads its painter; all have this plan."""
        self.plan = plan
        self.workers: list[Worker] = []
        self._reporter = reporter
        for number, spec in enumerate(specs):
            process, pipe = start_child(_work, spec)
            self.workers.append(Worker(number, spec, process, pipe))

    def close(self) -> None:
        """Stop the processes; whatever they hold is painted again later."""
        for worker in self.workers:
            worker.pipe.close()
            worker.process.terminate()
        for worker in self.workers:
            worker.process.join(PATIENCE_TO_STOP_SECONDS)
            worker.process.kill()
            worker.process.join()

    def paint(
        self, chunks: Iterator[Chunk], progress: Stage
    ) -> Iterator[tuple[Chunk, PaintedChunk]]:
        """Paint chunks in any order.

        Raises PaintingError when no worker is left, and what a worker raised.
        """
        progress.step("loading the models")
        assignment = Assignment(chunks)
        while True:
            self._send(assignment)
            if assignment.all_done:
                return
            pipes = {worker.pipe: worker for worker in self.workers}
            patience = LOOK_SECONDS if assignment.some_idle else None
            for pipe in wait(list(pipes), patience):
                worker = pipes[pipe]  # type: ignore[index]  # the pipes are Connections
                try:
                    kind, content = worker.pipe.recv()
                except (EOFError, OSError):
                    self._bury(worker, assignment)
                    continue
                if kind == "ready":
                    assignment.join(worker.number)
                elif kind == "painted":
                    chunk = assignment.finish(worker.number)
                    if chunk is not None:
                        yield chunk, replace(content, device=worker.number)
                elif kind == "error":
                    raise content
                elif kind == "bug":
                    raise RuntimeError(f"in the process on {worker.device}:\n{content}")
                else:
                    getattr(self._reporter, kind)(f"{worker.device}: {content}")

    def _send(self, assignment: Assignment[Chunk]) -> None:
        for number, chunk in assignment.assign():
            [worker] = (each for each in self.workers if each.number == number)
            try:
                worker.pipe.send(chunk)
            except OSError:
                self._bury(worker, assignment)

    def _bury(self, worker: Worker, assignment: Assignment[Chunk]) -> None:
        """Continue without a worker that has died."""
        worker.process.join()
        self.workers.remove(worker)
        assignment.leave(worker.number)
        death = f"the process on {worker.device} died (exit code {worker.process.exitcode})"
        if not self.workers:
            raise PaintingError(f"{death}, and no other is left")
        self._reporter.warn(f"{death}: the others paint its chunks")


class PipeReporter(Reporter):
    """Sends messages through a pipe, from any thread."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def send(self, kind: str, content: object = None) -> None:
        """Send something of this kind."""
        with self._lock:
            self._pipe.send((kind, content))

    def say(self, text: str) -> None:
        """Send a line of information."""
        self.send("say", text)

    def warn(self, text: str) -> None:
        """Send a warning."""
        self.send("warn", text)


def _work(pipe: Connection, spec: ChunkPainterSpec) -> None:
    """Paint what comes through the pipe, until it ends or the job's process stops this one."""
    for library in (diffusers, transformers):
        library.utils.logging.disable_progress_bar()
    reporter = PipeReporter(pipe)
    try:
        try_out(spec.painter.placement.device)
        painter = spec.load(reporter)
        reporter.send("ready")
        for _, painted in painter.paint(_receive(pipe), Stage()):
            reporter.send("painted", painted)
    except (EOFError, BrokenPipeError):
        pass  # the job is over
    except MonetizeError as error:
        reporter.send("error", error)
    except Exception:
        reporter.send("bug", traceback.format_exc())


def _receive(pipe: Connection) -> Iterator[Chunk | None]:
    while True:
        if not pipe.poll(PATIENCE_SECONDS):
            yield None
        chunk: Any = pipe.recv()
        yield chunk
