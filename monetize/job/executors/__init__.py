"""Where the chunks of a job are painted."""

from monetize.devices import free_memory
from monetize.job.executors.base import Chunk, Executor, PaintedChunk
from monetize.job.executors.chunk_painter import ChunkPainterSpec
from monetize.job.executors.local import LocalExecutor
from monetize.job.executors.processes import WorkerPool
from monetize.painting.batching import BatchPainter
from monetize.progress import Reporter

__all__ = ["Chunk", "Executor", "PaintedChunk", "start"]


def start(
    spec: ChunkPainterSpec, reporter: Reporter, painter: BatchPainter | None = None
) -> Executor:
    """Start the executor for a spec's devices; one device may be given its loaded painter."""
    specs = spec.on_every_device()
    if len(specs) == 1:
        return LocalExecutor(specs[0], reporter, painter)
    del painter  # the workers load their own, and need the memory
    free_memory()
    return WorkerPool(specs, reporter)
