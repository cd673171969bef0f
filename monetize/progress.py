"""Progress of a long job: the command line shows it, users of the library may ignore it."""

from collections.abc import Iterator
from contextlib import contextmanager


class Stage:
    """The progress of one stage of a job."""

    def advance(self, count: int = 1) -> None:
        """Count finished units."""

    def step(self, text: str) -> None:
        """Show what is being done within the current unit, such as the denoising step."""


class Reporter:
    """Receives messages and progress; this base class ignores them."""

    def say(self, text: str) -> None:
        """Receive a line of information."""

    def warn(self, text: str) -> None:
        """Receive a line that the user should not miss."""

    @contextmanager
    def stage(self, label: str, total: int, unit: str, done: int = 0) -> Iterator[Stage]:
        """Track a stage of `total` units, of which an earlier process finished `done`."""
        yield Stage()
