"""Where the chunks of a job are painted."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from monetize.devices import free_memory
from monetize.job.executors.base import Chunk, Executor, LostChunk, PaintedChunk
from monetize.job.executors.chunk_painter import ChunkPainterSpec
from monetize.job.executors.local import LocalExecutor
from monetize.job.executors.processes import WorkerPool
from monetize.painting.batching import BatchPainter, plan_batches
from monetize.progress import Reporter
from monetize.settings import RunSettings

if TYPE_CHECKING:  # Ray is needed only where it is used
    from monetize.job.executors.ray.cluster import RayCluster

__all__ = ["Chunk", "Executor", "LostChunk", "PaintedChunk", "connected", "start"]


@contextmanager
def connected(settings: RunSettings, reporter: Reporter) -> Iterator["RayCluster | None"]:
    """Connect to the cluster that the settings name; None if they name none. Raises UsageError."""
    if settings.executor.executor != "ray":
        yield None
        return
    from monetize.job.executors.ray.cluster import RayCluster

    with RayCluster.connect(settings.executor, settings.device, reporter) as cluster:
        yield cluster


def start(
    spec: ChunkPainterSpec,
    chunks: int,
    reporter: Reporter,
    painter: BatchPainter | None = None,
    cluster: "RayCluster | None" = None,
) -> Executor:
    """Start the executor for this many chunks on the spec's devices, or on a cluster.

    No more devices are used than there are chunks. A single one may be given its loaded painter.
    """
    if cluster is not None:
        from monetize.job.executors.ray.painting import RayExecutor

        return RayExecutor(cluster, spec, chunks, reporter)
    specs = spec.on_every_device()[:chunks]
    if len(specs) == 1:
        return LocalExecutor(specs[0], reporter, painter)
    plan = spec.plan or (painter.plan if painter else None)
    del painter  # the workers load their own, and need the memory
    free_memory()
    if plan is None:
        plan = plan_batches(spec.painter, spec.count, reporter, approximate=spec.approximate)
    return WorkerPool([replace(each, plan=plan) for each in specs], plan, reporter)
