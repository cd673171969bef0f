"""The base of executors, which paint the chunks of a job."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from monetize.job.plan import Item
from monetize.painting.batch_plan import BatchPlan
from monetize.progress import Stage
from monetize.settings import PaintSettings


@dataclass(frozen=True)
class Chunk:
    """A part of a job's plan, painted and saved as a whole, with complete settings."""

    number: int
    items: Sequence[Item]
    settings: PaintSettings


@dataclass(frozen=True)
class PaintedChunk:
    """JPEGs by name, and the names that the safety checker blacked out.

    `evaluations` is the number of UNet evaluations of each painting, `seconds` the time that the
    device spent on this chunk alone, `device` the number of that device among the executor's.
    """

    files: dict[str, bytes]
    flagged: list[str]
    evaluations: int
    seconds: float
    device: int = 0


@dataclass(frozen=True)
class LostChunk:
    """A chunk that was given up, and why; the job goes on without its paintings."""

    reason: str


class Executor(ABC):
    """Paints chunks, for as long as its `with` block lasts.

    While an `overlapping` one saves a chunk, the next is being painted. `plan` is known when the
    first chunk is painted.
    """

    overlapping: bool
    plan: BatchPlan | None

    @abstractmethod
    def paint(
        self, chunks: Iterator[Chunk], progress: Stage
    ) -> Iterator[tuple[Chunk, PaintedChunk | LostChunk]]:
        """Paint chunks and yield them as they are done or given up, in any order.

        A chunk is taken from the iterator only when a device is about to paint it. Raises
        PaintingError.
        """

    @abstractmethod
    def close(self) -> None:
        """Release devices and processes; chunks that are not done are dropped."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
