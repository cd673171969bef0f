"""Chunks of a job → JPEGs; encoding goes on in a thread while the device paints the next chunk."""

import io
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType

from PIL import Image

from monetize.images.color_transfer import Palette
from monetize.job.job import Item
from monetize.painting.batching import Batches, PendingBatches
from monetize.painting.painter import recoloured
from monetize.progress import Stage
from monetize.settings import PaintSettings, RunSettings


@dataclass(frozen=True)
class Task:
    """A chunk to paint, with complete settings."""

    number: int
    items: Sequence[Item]
    settings: PaintSettings


@dataclass(frozen=True)
class Made:
    """A painted chunk: JPEGs by name, and the names that the safety checker blacked out.

    `seconds` are those that the device had nothing else to do.
    """

    files: dict[str, bytes]
    flagged: list[str]
    evaluations: int
    seconds: float


class ChunkPainter:
    """A painter that gives JPEGs, later."""

    def __init__(
        self, batches: Batches, settings: RunSettings, palette: Palette | None = None
    ) -> None:
        self.batches = batches
        self.palette = palette
        self.settings = settings
        self.overlapping = batches.painter.device.type == "cuda"
        self._thread = ThreadPoolExecutor(1)
        self._finished = 0.0

    def __enter__(self) -> "ChunkPainter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._thread.shutdown()

    def start(self, task: Task, progress: Stage) -> Future[Made]:
        """Send a chunk to the device; its JPEGs come in time."""
        started = time.monotonic()
        evaluations = 0

        def on_step(step: int, of: int) -> None:
            nonlocal evaluations
            evaluations = of
            progress.step(f"step {step}/{of}")

        pending = self.batches.start(
            [item.prompt for item in task.items],
            [item.seed for item in task.items],
            on_step,
            task.settings,
        )
        return self._thread.submit(self._finish, task, pending, evaluations, started)

    def _finish(
        self, task: Task, pending: PendingBatches, evaluations: int, started: float
    ) -> Made:
        seeds = [item.seed for item in task.items]
        made = list(zip(task.items, recoloured(pending.result(), seeds, self.palette), strict=True))
        before, self._finished = self._finished, time.monotonic()
        return Made(
            {item.file: to_jpeg(painting.image, self.settings) for item, painting in made},
            [item.file for item, painting in made if painting.flagged],
            evaluations,
            self._finished - max(started, before),
        )


def paint_here(
    painter: ChunkPainter, tasks: Iterable[Task | None], progress: Stage
) -> Iterator[tuple[Task, Made]]:
    """Paint chunks one after the other; on CUDA one is given out when the next is on the device.

    A None among the tasks means that none is at hand: what was begun is finished.
    """
    before: tuple[Task, Future[Made]] | None = None
    for task in tasks:
        started = (task, painter.start(task, progress)) if task else None
        if before is not None:
            yield before[0], before[1].result()
        before = started
        # Elsewhere a chunk is painted by now, and is not to be lost when the next is interrupted.
        if before is not None and not painter.overlapping:
            yield before[0], before[1].result()
            before = None
    if before is not None:
        yield before[0], before[1].result()


def to_jpeg(image: Image.Image, settings: RunSettings) -> bytes:
    """Resize a painting to the output size, if it has another, and encode it."""
    size = (settings.output_size, settings.output_size)
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=settings.jpeg_quality)
    return buffer.getvalue()
