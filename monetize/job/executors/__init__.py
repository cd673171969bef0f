"""Where the chunks of a job are painted."""

from dataclasses import replace

from monetize.devices import free_memory
from monetize.job.executors.base import Chunk, Executor, PaintedChunk
from monetize.job.executors.chunk_painter import ChunkPainterSpec
from monetize.job.executors.local import LocalExecutor
from monetize.job.executors.processes import WorkerPool
from monetize.painting.batching import BatchPainter, plan_batches
from monetize.progress import Reporter

__all__ = ["Chunk", "Executor", "PaintedChunk", "start"]


def start(
    spec: ChunkPainterSpec, chunks: int, reporter: Reporter, painter: BatchPainter | None = None
) -> Executor:
    """Start the executor for this many chunks on the spec's devices.

    No more devices are used than there are chunks. A single one may be given its loaded painter.
    """
    specs = spec.on_every_device()[:chunks]
    if len(specs) == 1:
        return LocalExecutor(specs[0], reporter, painter)
    plan = spec.plan or (painter.plan if painter else None)
    del painter  # the workers load their own, and need the memory
    free_memory()
    if plan is None:
        plan = plan_batches(spec.painter, spec.count, reporter, approximate=spec.approximate)
    return WorkerPool([replace(each, plan=plan) for each in specs], plan, reporter)
