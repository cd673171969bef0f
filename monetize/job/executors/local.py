"""Paints the chunks of a job in its own process, on one device."""

from collections.abc import Iterator

from monetize.job.executors.base import Chunk, Executor, PaintedChunk
from monetize.job.executors.chunk_painter import ChunkPainter, ChunkPainterSpec
from monetize.painting.batching import BatchPainter
from monetize.progress import Reporter, Stage


class LocalExecutor(Executor):
    """One painter, loaded when the first chunk is painted unless it is given."""

    def __init__(
        self, spec: ChunkPainterSpec, reporter: Reporter, painter: BatchPainter | None = None
    ) -> None:
        self.overlapping = spec.painter.placement.device.type == "cuda"
        self._spec = spec
        self._reporter = reporter
        self._painter = ChunkPainter(spec, painter) if painter else None
        self.plan = painter.plan if painter else spec.plan

    def paint(
        self, chunks: Iterator[Chunk], progress: Stage
    ) -> Iterator[tuple[Chunk, PaintedChunk]]:
        """Paint chunks in order."""
        progress.step("loading the model")
        if self._painter is None:
            self._painter = self._spec.load(self._reporter)
            self.plan = self.plan or self._painter.plan
        yield from self._painter.paint(chunks, progress)

    def close(self) -> None:
        """Wait for the encoding thread."""
        if self._painter is not None:
            self._painter.close()
