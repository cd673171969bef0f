"""The gallery of `monetize run --gallery`: planned before the job, built when it is done."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from monetize.errors import Interrupted, StorageError, UsageError
from monetize.gallery.files import GalleryFiles, is_gallery
from monetize.gallery.gallery import build
from monetize.job.job import Job
from monetize.job.outputs import Outputs
from monetize.job.report_reader import Results, read_results
from monetize.progress import Reporter
from monetize.settings import RunSettings
from monetize.stores.remote_path import AnyPath


@dataclass(frozen=True)
class JobGallery:
    """The gallery of a job, and whether it may replace an existing one."""

    outputs: Outputs
    photos: AnyPath
    files: GalleryFiles
    overwrite: bool

    @classmethod
    def plan(cls, job: Job) -> "JobGallery":
        """Check before the job that its gallery can be written; raises UsageError.

        It may replace a gallery with --overwrite, one that an earlier run of the same unfinished
        job built, and with --update that of the finished job.
        """
        label = label_of(job.folder, job.captions_file, job.settings)
        files = GalleryFiles.of(job.outputs, label=label)
        record = job.outputs.workspace.record
        is_its_own = record.started and files.folder.exists() and is_gallery(files.folder)
        overwrite = job.overwrite or record.may_replace or is_its_own
        if job.update and not overwrite and files.page.exists():
            overwrite = job.outputs.last.exists() and files.is_own
            if not overwrite:
                raise UsageError(
                    f"{files.page} exists, and it is not the gallery of {job.outputs.out}: move it "
                    "away, or leave out --gallery"
                )
        files.check(overwrite=overwrite)
        return cls(job.outputs, job.folder, files, overwrite)

    @classmethod
    def unfinished(
        cls, photos: AnyPath, captions_file: Path | None, outputs: Outputs, settings: RunSettings
    ) -> "JobGallery | None":
        """The gallery of a finished job whose process was killed before the gallery was done.

        None unless the job had the same photos, captions file and settings.
        """
        files = GalleryFiles.of(outputs, label=label_of(photos, captions_file, settings))
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


def say_outdated(outputs: Outputs, reporter: Reporter, *, update: bool) -> None:
    """Say that a job without --gallery has left the gallery of its earlier output as it was."""
    if GalleryFiles.of(outputs).is_own:
        before = "the update" if update else "this run"
        reporter.say(
            f"{outputs.page} shows the job before {before}; "
            f"monetize gallery {outputs.out} --overwrite rebuilds it"
        )


def label_of(photos: AnyPath, captions_file: Path | None, settings: RunSettings) -> str:
    """Identify a job by what its command asks for."""
    text = repr((str(photos.resolve()), str(captions_file), settings))
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
