"""Chunks of a job → JPEGs; encoding goes on in a thread while the device paints the next chunk."""

import io
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType

from PIL import Image

from monetize.batches import Batches, PendingBatches
from monetize.job import Item
from monetize.progress import Stage
from monetize.settings import RunSettings


@dataclass(frozen=True)
class Task:
    """A chunk to paint."""

    number: int
    items: Sequence[Item]


@dataclass(frozen=True)
class Made:
    """A painted chunk: JPEGs by name, and the names that the safety checker blacked out."""

    files: dict[str, bytes]
    flagged: list[str]


class ChunkPainter:
    """A painter that gives JPEGs, later."""

    def __init__(self, batches: Batches, settings: RunSettings) -> None:
        self.batches = batches
        self.settings = settings
        self._thread = ThreadPoolExecutor(1)

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
        pending = self.batches.start(
            [item.prompt for item in task.items],
            [item.seed for item in task.items],
            on_step=lambda step, of: progress.step(f"step {step}/{of}"),
        )
        return self._thread.submit(self._finish, task, pending)

    def _finish(self, task: Task, pending: PendingBatches) -> Made:
        made = list(zip(task.items, pending.result(), strict=True))
        return Made(
            {item.file: to_jpeg(painting.image, self.settings) for item, painting in made},
            [item.file for item, painting in made if painting.flagged],
        )


def paint_here(
    painter: ChunkPainter, tasks: Iterable[Task], progress: Stage
) -> Iterator[tuple[Task, Made]]:
    """Paint chunks one after the other; a chunk is given out when the next is on the device."""
    before: tuple[Task, Future[Made]] | None = None
    for task in tasks:
        started = painter.start(task, progress)
        if before is not None:
            yield before[0], before[1].result()
        before = task, started
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
