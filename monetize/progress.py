"""What a long job tells whoever watches it; the command line draws it, a library may ignore it."""

from collections.abc import Iterator
from contextlib import contextmanager


class Stage:
    """The progress of one stage of a job."""

    def advance(self, count: int = 1) -> None:
        """Count finished units."""

    def step(self, text: str) -> None:
        """Say what is being done within the unit at hand, such as the denoising step."""


class Reporter:
    """A silent listener, and the interface of the others."""

    def say(self, text: str) -> None:
        """Take a line of information."""

    def warn(self, text: str) -> None:
        """Take a line that the user should not miss."""

    @contextmanager
    def stage(self, label: str, total: int, unit: str, done: int = 0) -> Iterator[Stage]:
        """Follow a stage of total units, of which some were done by an earlier process."""
        yield Stage()
