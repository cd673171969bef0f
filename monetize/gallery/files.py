"""The files of a gallery: where they are, what may be replaced, and how they are published."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from monetize.atomic_files import flush_all, output_target, write_bytes
from monetize.errors import UsageError
from monetize.images.photos import GALLERY_MARK
from monetize.job.outputs import Outputs

GENERATOR = b'<meta name="generator" content="monetize '
HEAD_LENGTH = 4096  # bytes of a page, which include its generator


@dataclass(frozen=True)
class GalleryFiles:
    """A gallery's page and the folder of its images.

    `label` identifies the command that it belongs to; `source` is the name of the zip or folder
    whose page this is, empty for a page under another name.
    """

    page: Path
    label: str = ""
    source: str = ""

    @classmethod
    def of(cls, outputs: Outputs, page: Path | None = None, label: str = "") -> Self:
        """The gallery of a job, by default under the name of its output."""
        own = page is None or page.resolve() == outputs.page.resolve()
        return cls(page or outputs.page, label, outputs.out.name if own else "")

    @property
    def folder(self) -> Path:
        """The folder of paintings and photos."""
        return self.page.with_suffix(".gallery")

    @property
    def part(self) -> Path:
        """The folder while it is being filled."""
        return self.folder.with_name(self.folder.name + ".part")

    @property
    def old(self) -> Path:
        """The previous folder while the new one takes its place."""
        return self.folder.with_name(self.folder.name + ".old")

    @property
    def is_unfinished(self) -> bool:
        """Whether a gallery with this label was being built when its process was killed."""
        mark = self.part / GALLERY_MARK
        return is_gallery(self.part) and mark.is_file() and mark.read_bytes() == self._mark

    @property
    def is_own(self) -> bool:
        """Whether the existing page and folder are an earlier gallery of the same output."""
        mark = self.folder / GALLERY_MARK
        if not (self.source and is_gallery(self.folder) and mark.is_file() and self.page.is_file()):
            return False
        with self.page.open("rb") as page:
            head = page.read(HEAD_LENGTH)
        return GENERATOR in head and mark.read_bytes().startswith(self._title)

    def check(self, *, overwrite: bool) -> None:
        """Raise UsageError for existing files; `overwrite` allows replacing a gallery's own."""
        page = self.page
        if page.suffix.lower() not in (".html", ".htm"):
            raise UsageError(f"{page}: the gallery is a web page; name it like images.html")
        if not page.parent.is_dir():
            raise UsageError(f"{page}: there is no folder {page.parent}: create it first")
        if page.is_dir():
            raise UsageError(f"{page} is a folder: choose another name for the page")
        output_target(page)  # raises for a device, pipe or socket
        for folder in (self.folder, self.part, self.old):
            if (folder.exists() or folder.is_symlink()) and not is_gallery(folder):
                raise UsageError(
                    f"{folder} is in the way: it is not a gallery folder of monetize. "
                    "Move it away, or choose another name for the page."
                )
        # The page comes last: a folder without it is left over from a process that was killed.
        if page.exists() and not overwrite:
            raise UsageError(
                f"{page} exists. Move it away, choose another name for the page, or replace the "
                "gallery with --overwrite."
            )

    @contextmanager
    def filling(self) -> Iterator[None]:
        """Create the empty folder `part`; remove what is left of it at the end."""
        try:
            self.start()
            yield
        finally:
            _remove(self.part)

    def start(self) -> None:
        """Create the empty folder `part` with its mark."""
        _remove(self.part)
        self.part.mkdir()
        (self.part / GALLERY_MARK).write_bytes(self._mark)

    def publish(self, page: bytes) -> None:
        """Move `part` and the page into place; if that fails, an older gallery stays."""
        folder, part, old = self.folder, self.part, self.old
        flush_all()
        if old.exists() and not folder.exists():
            old.replace(folder)  # an earlier process was killed between the two renames
        _remove(old)
        try:
            if folder.exists():
                folder.replace(old)
            part.replace(folder)
            write_bytes(self.page, page)
        except BaseException:
            if not part.exists():
                _remove(folder)
            if old.exists():
                old.replace(folder)
            raise
        _remove(old)

    @property
    def _title(self) -> bytes:
        of = f", the gallery of {self.source}" if self.source else ""
        return f"The images of {self.page.name}{of}.\n".encode(errors="surrogateescape")

    @property
    def _mark(self) -> bytes:
        return self._title + self.label.encode()


def is_gallery(folder: Path) -> bool:
    """Whether monetize made this folder; an empty one is left by a killed process or harmless."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    return (folder / GALLERY_MARK).is_file() or not any(folder.iterdir())


def _remove(folder: Path) -> None:
    """Remove a gallery's folder, its mark last: if interrupted, it still counts as a gallery."""
    if folder.is_dir():
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
        shutil.rmtree(folder)
