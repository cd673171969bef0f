"""Paints the chunks of a job with painters on a Ray cluster, an actor for each GPU."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from monetize.devices import Placement, place
from monetize.errors import InputError, PhotoError
from monetize.images.reading import read_file
from monetize.job.executors.base import Chunk, Executor, LostChunk, PaintedChunk
from monetize.job.executors.chunk_painter import ChunkPainter, ChunkPainterSpec
from monetize.job.executors.ray.cluster import RayCluster
from monetize.job.executors.ray.nodes import NodeFacts, Notes, SentCheckpoint
from monetize.job.executors.ray.pool import RayPool
from monetize.job.executors.ray.work import Answer, Work
from monetize.messages import printable
from monetize.painting.batch_plan import BatchPlan, unmeasured_plan
from monetize.painting.batch_sizes import max_batch_size
from monetize.progress import Reporter, Stage
from monetize.settings import DeviceSettings
from monetize.stores.remote_path import AnyPath

Contents = Mapping[AnyPath, bytes]


class RayExecutor(Executor):
    """The painters of a job on a cluster."""

    overlapping = True

    def __init__(
        self,
        cluster: RayCluster,
        spec: ChunkPainterSpec,
        chunks: int,
        reporter: Reporter,
    ) -> None:
        placement = spec.painter.placement
        needs = cluster.needs(placement)
        checkpoint = cluster.send(spec.painter.checkpoint)
        plan = spec.plan
        if plan is None and placement.device.type != "cuda":
            most = min(spec.count, max_batch_size(spec.painter))
            plan = unmeasured_plan(spec.painter.settings, most)
        # What pays for a job is decided for a painter's share of it.
        share = -(-spec.count // max(1, min(chunks, cluster.total_room(needs))))

        def load_arguments(plan: BatchPlan | None) -> tuple[Any, ...]:
            sent = replace(spec, plan=plan, count=spec.count if plan else share)
            return sent, checkpoint, int(needs["num_cpus"])

        work = Work[Chunk](
            PaintWorker, needs, placement.device.type, load_arguments, _with_photos,
            "painter", "paint",
        )  # fmt: skip
        self._pool = RayPool(cluster, work, chunks, reporter, plan)

    @property
    def plan(self) -> BatchPlan | None:  # type: ignore[override]
        """What the first painter decided."""
        plan = self._pool.decision
        return plan if isinstance(plan, BatchPlan) else None

    def paint(
        self, chunks: Iterator[Chunk], progress: Stage
    ) -> Iterator[tuple[Chunk, PaintedChunk | LostChunk]]:
        """Paint chunks in any order; raises what a painter raises, and PaintingError."""
        progress.step("waiting for the cluster")
        yield from self._pool.run(chunks, progress)

    def close(self) -> None:
        """End the painters."""
        self._pool.close()


class PaintWorker:
    """A painter on a node of the cluster; Ray calls it from two threads."""

    def __init__(self) -> None:
        self._notes = Notes()
        self._painter: ChunkPainter | None = None

    def hello(self, device_type: str) -> NodeFacts:
        """Tell about the node."""
        return NodeFacts.here(device_type)

    def load(self, spec: ChunkPainterSpec, checkpoint: SentCheckpoint, threads: int) -> Answer:
        """Load the painter; returns how it batches. Raises CheckpointError and UsageError."""
        placement = prepare_node(spec.painter.placement, threads)
        found = checkpoint.find(placement, self._notes)
        painter = replace(spec.painter, checkpoint=found, placement=placement)
        self._painter = replace(spec, painter=painter).load(self._notes)
        return Answer(spec.plan or self._painter.plan, self._notes.take())

    def work(self, chunk: Chunk, photos: Contents) -> Answer:
        """Paint a chunk that starts from these photos."""
        assert self._painter is not None  # loaded
        with tempfile.TemporaryDirectory(prefix="monetize-") as folder:
            painted = self._painter.paint_one(_with_files(chunk, photos, Path(folder)))
        return Answer(painted, self._notes.take())


def prepare_node(placement: Placement, threads: int) -> Placement:
    """Set libraries up on a node, and return where models are loaded; raises UsageError."""
    for library in (diffusers, transformers):
        library.utils.logging.disable_progress_bar()
    if placement.device.type == "cpu":
        torch.set_num_threads(threads)
        return placement
    # Ray shows a worker only its own GPU.
    return place(DeviceSettings("cuda:0", str(placement.dtype).removeprefix("torch.")))


def _with_photos(chunk: Chunk) -> tuple[Chunk, Contents]:
    """A chunk and the content of the photos that its paintings start from."""
    photos: dict[AnyPath, bytes] = {}
    for item in chunk.items:
        if (path := item.request.init_image) is not None:
            try:
                photos[path] = read_file(path)
            except PhotoError as error:
                raise InputError(f"{printable(path)}: {error}") from None
    return chunk, photos


def _with_files(chunk: Chunk, photos: Contents, folder: Path) -> Chunk:
    """Write photos to a folder, under their own names, and have the chunk start from these."""
    here: dict[AnyPath, Path] = {}
    for number, (path, data) in enumerate(photos.items()):
        here[path] = folder / str(number) / path.name
        here[path].parent.mkdir()
        here[path].write_bytes(data)
    items = [
        replace(item, request=replace(item.request, init_image=here[item.request.init_image]))
        if item.request.init_image is not None
        else item
        for item in chunk.items
    ]
    return replace(chunk, items=items)
