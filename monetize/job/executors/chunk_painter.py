"""Chunks → JPEGs, painted and encoded in other threads than the one that saves them."""

import io
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from PIL import Image

from monetize.errors import PaintingError
from monetize.image_sizes import FIT, pixels_of
from monetize.images.color_transfer import Palette
from monetize.images.encoding import jpeg_exif
from monetize.images.fitting import fit
from monetize.job.executors.base import Chunk, PaintedChunk
from monetize.messages import first_line
from monetize.painting.batch_plan import BatchPlan
from monetize.painting.batching import BatchPainter, PendingBatches
from monetize.painting.painting import Painting, recolor
from monetize.painting.spec import PainterSpec
from monetize.progress import Reporter, Stage


@dataclass(frozen=True)
class ChunkPainterSpec:
    """Everything needed to paint the chunks of a job; it can be sent to another process.

    `count` is the number of paintings in the whole job, `output_size` the size of the JPEGs, or
    `fit` for that of the paintings. A `plan` of None is to be decided. `approximate` as in
    `RunSettings`, as is `metadata`.
    """

    painter: PainterSpec
    count: int
    output_size: int | str
    jpeg_quality: int
    palette: Palette | None = None
    plan: BatchPlan | None = None
    approximate: bool = False
    metadata: bool = False

    def on_every_device(self) -> list["ChunkPainterSpec"]:
        """A spec for each device to paint on."""
        return [replace(self, painter=each) for each in self.painter.on_every_device()]

    def load(self, reporter: Reporter) -> "ChunkPainter":
        """Load the painter; raises CheckpointError."""
        painter = BatchPainter.load(
            self.painter, self.count, reporter, self.plan, approximate=self.approximate
        )
        return ChunkPainter(self, painter)


class ChunkPainter:
    """A painter that returns JPEGs as futures."""

    def __init__(self, spec: ChunkPainterSpec, painter: BatchPainter) -> None:
        self.overlapping = spec.painter.placement.device.type == "cuda"
        self.plan = painter.plan
        self._spec = spec
        self._painter = painter
        self._encoder = ThreadPoolExecutor(1)
        self._sender = ThreadPoolExecutor(1)
        self._closed = False
        self._finished = 0.0

    def close(self) -> None:
        """Stop sending, and wait for what is being encoded."""
        self._closed = True
        self._sender.shutdown(cancel_futures=True)
        self._encoder.shutdown()

    def paint(
        self, chunks: Iterable[Chunk | None], progress: Stage
    ) -> Iterator[tuple[Chunk, PaintedChunk]]:
        """Paint chunks in order.

        On CUDA another thread sends them to the device, where a chunk waits for room among the
        kernels of the one before: so the device has work while the caller saves what it was given.
        None stands for a chunk that is not there yet: chunks in progress are finished meanwhile.
        """
        sent = deque[tuple[Chunk, Future[Future[PaintedChunk]]]]()
        for chunk in chunks:
            if chunk and not self.overlapping:
                # It is painted by now; an interruption of the next must not lose it.
                yield chunk, self._start(chunk, progress).result()
            elif chunk:
                sent.append((chunk, self._sender.submit(self._start, chunk, progress)))
            while len(sent) > (1 if chunk else 0):
                yield _painted(*sent.popleft())
        while sent:
            yield _painted(*sent.popleft())

    def paint_one(self, chunk: Chunk) -> PaintedChunk:
        """Paint a chunk after those that other threads have sent."""
        return self._sender.submit(self._start, chunk, Stage()).result().result()

    def _start(self, chunk: Chunk, progress: Stage) -> Future[PaintedChunk]:
        """Send a chunk to the device; its JPEGs come later."""
        started = time.monotonic()
        evaluations = 0

        def on_step(step: int, of: int) -> None:
            nonlocal evaluations
            if self._closed:
                raise CancelledError
            evaluations = of
            progress.step(f"step {step}/{of}")

        requests = [item.request for item in chunk.items]
        pending = self._painter.start(requests, chunk.settings, on_step)
        return self._encoder.submit(self._finish, chunk, pending, evaluations, started)

    def _finish(
        self, chunk: Chunk, pending: PendingBatches, evaluations: int, started: float
    ) -> PaintedChunk:
        paintings = recolor(pending.result(), self._spec.palette)
        before, self._finished = self._finished, time.monotonic()
        named = list(zip([item.file for item in chunk.items], paintings, strict=True))
        return PaintedChunk(
            {name: self._encode(painting) for name, painting in named},
            [name for name, painting in named if painting.flagged],
            evaluations,
            self._finished - max(started, before),
        )

    def _encode(self, painting: Painting) -> bytes:
        spec = self._spec
        how = spec.painter.settings.fit
        text = painting.parameters() if spec.metadata else ""
        return to_jpeg(painting.image, spec.output_size, spec.jpeg_quality, how, text)


def _painted(chunk: Chunk, sent: Future[Future[PaintedChunk]]) -> tuple[Chunk, PaintedChunk]:
    return chunk, sent.result().result()


def to_jpeg(
    image: Image.Image,
    output_size: int | str,
    quality: int,
    how: str | None = None,
    text: str = "",
) -> bytes:
    """Fit a painting to an output size, as `--fit` says, and encode it, with text as metadata.

    Raises PaintingError if the text does not fit in a JPEG.
    """
    if output_size != FIT:
        image = fit(image, pixels_of(output_size), how)
    buffer = io.BytesIO()
    if not text:
        image.save(buffer, "JPEG", quality=quality)
        return buffer.getvalue()
    exif = jpeg_exif(text)
    if exif is None:
        raise PaintingError(
            f"The prompt {first_line(text, 60)!r} is too long for a JPEG's metadata: use "
            "--no-metadata"
        )
    image.save(buffer, "JPEG", quality=quality, exif=exif)
    return buffer.getvalue()
