"""Limit how many pixels threads decode at the same time, and with them the memory."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class PixelBudget:
    """Pixels that all threads together may decode at a time.

    A larger image waits until it is the only one.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self._free = total
        self._turn = threading.Lock()  # first come, first served: small images cannot starve one
        self._released = threading.Condition()

    @contextmanager
    def reserve(self, pixels: int) -> Iterator[None]:
        """Wait for this many pixels, and hold them inside the block; blocks must not nest."""
        share = min(pixels, self.total)
        with self._turn, self._released:
            self._released.wait_for(lambda: self._free >= share)
            self._free -= share
        try:
            yield
        finally:
            with self._released:
                self._free += share
                self._released.notify_all()
