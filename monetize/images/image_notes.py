"""Gather notes about images from threads, to report each once."""

import threading
from collections import defaultdict

from monetize.messages import counted, name_some
from monetize.progress import Reporter


class ImageNotes:
    """Notes such as an ignored color profile, each with the names of its images."""

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = defaultdict(list)
        self._lock = threading.Lock()

    def add(self, name: str, note: str) -> None:
        """Take a note about an image."""
        with self._lock:
            self._names[note].append(name)

    def warn(self, reporter: Reporter) -> None:
        """Report each note once, with the first names, and clear the notes."""
        with self._lock:
            names, self._names = self._names, defaultdict(list)
        for note, images in names.items():
            reporter.warn(f"{note}, in {counted(len(images), 'image')}: {name_some(images)}")
