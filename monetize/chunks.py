"""The unit of work: a sequence cut into chunks."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def chunks(work: Sequence[T], size: int) -> list[Sequence[T]]:
    """Cut the work into batches.

    What a chunk holds never depends on what was done before, so a resumed job makes the batches
    that an uninterrupted one makes.
    """
    return [work[start : start + size] for start in range(0, len(work), size)]
