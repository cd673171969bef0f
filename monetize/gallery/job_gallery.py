"""The gallery of `monetize run --gallery`: planned before the job, built when it is done."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from monetize.errors import Interrupted, StorageError
from monetize.gallery.files import GalleryFiles, is_gallery
from monetize.gallery.gallery import build
from monetize.job.job import Job
from monetize.job.outputs import Outputs
from monetize.job.report_reader import Results, read_results
from monetize.progress import Reporter
from monetize.settings import RunSettings


@dataclass(frozen=True)
class JobGallery:
    """The gallery of a job, and whether it may replace an existing one."""

    outputs: Outputs
    photos: Path
    files: GalleryFiles
    overwrite: bool

    @classmethod
    def plan(cls, job: Job) -> "JobGallery":
        """Check before the job that its gallery can be written; raises UsageError.

        It may replace a gallery with --overwrite, and one that an earlier run of the same
        unfinished job built.
        """
        label = label_of(job.folder, job.captions_file, job.settings)
        files = GalleryFiles(job.outputs.page, label)
        workspace = job.outputs.workspace
        is_its_own = workspace.started and files.folder.exists() and is_gallery(files.folder)
        overwrite = job.overwrite or workspace.may_replace or is_its_own
        files.check(overwrite=overwrite)
        return cls(job.outputs, job.folder, files, overwrite)

    @classmethod
    def unfinished(
        cls, photos: Path, captions_file: Path | None, outputs: Outputs, settings: RunSettings
    ) -> "JobGallery | None":
        """The gallery of a finished job whose process was killed before the gallery was done.

        None unless the job had the same photos, captions file and settings.
        """
        files = GalleryFiles(outputs.page, label_of(photos, captions_file, settings))
        done = outputs.last.is_file() and outputs.table.is_file()
        return cls(outputs, photos, files, True) if done and files.is_unfinished else None

    @contextmanager
    def pending(self) -> Iterator[None]:
        """Mark the gallery as not built yet, so that the same command builds it after a kill."""
        with self.files.filling():
            yield

    def build(self, reporter: Reporter) -> Results:
        """Build the gallery; an error or interruption says that the zip itself is done."""
        out = self.outputs.out
        rest = f"{out} is done; monetize gallery {out} builds its page"
        try:
            results = read_results(self.outputs)
            build(results, self.files, reporter, photos=self.photos, overwrite=self.overwrite)
            return results
        except KeyboardInterrupt:
            raise Interrupted(f"Interrupted. {rest}.") from None
        except StorageError as error:
            raise StorageError(f"{error}. {rest}.") from error


def label_of(photos: Path, captions_file: Path | None, settings: RunSettings) -> str:
    """Identify a job by what its command asks for."""
    text = repr((str(photos.resolve()), str(captions_file), settings))
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
