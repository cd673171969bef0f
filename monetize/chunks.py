"""Cutting a job into chunks, its units of work."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def chunks(work: Sequence[T], size: int) -> list[Sequence[T]]:
    """Cut the work into chunks of `size`; the last may be smaller.

    A chunk never depends on what is already done, so a resumed job runs the same batches as an
    uninterrupted one.
    """
    return [work[start : start + size] for start in range(0, len(work), size)]
