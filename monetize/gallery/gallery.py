"""A contest zip and its reports → a gallery: a page, and a folder with its pictures beside it."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from monetize.atomic_files import explained, flush_all, write_bytes
from monetize.errors import Interrupted, StorageError, UsageError
from monetize.gallery.page import Entry, render
from monetize.gallery.pictures import NOT_FOUND, write_pictures
from monetize.job.job import Job
from monetize.job.report_reader import Results, read_results, weights_of
from monetize.job.workspace import Workspace
from monetize.messages import counted, name_some
from monetize.progress import Reporter

# Every folder that a gallery made holds a file of this name; no other folder is replaced.
MARK = "made-by-monetize.txt"


@dataclass(frozen=True)
class Gallery:
    """Where a gallery stands: its page, and the folder of its pictures."""

    page: Path

    @property
    def folder(self) -> Path:
        """Paintings and photos."""
        return self.page.with_suffix(".gallery")

    @property
    def part(self) -> Path:
        """The folder while it is being filled."""
        return self.folder.with_name(self.folder.name + ".part")

    @property
    def old(self) -> Path:
        """The folder that was there, while the new one takes its place."""
        return self.folder.with_name(self.folder.name + ".old")

    def check(self, *, overwrite: bool) -> None:
        """Raise UsageError for what is in the way; overwrite allows for a gallery, and the page."""
        page = self.page
        if page.suffix.lower() not in (".html", ".htm"):
            raise UsageError(f"{page}: the gallery is a page: give it a name such as images.html")
        if not page.parent.is_dir():
            raise UsageError(f"{page}: there is no folder {page.parent}: make it first")
        if page.is_dir():
            raise UsageError(f"{page} is a folder: give another name for the page")
        for folder in (self.folder, self.part, self.old):
            if (folder.exists() or folder.is_symlink()) and not _is_ours(folder):
                raise UsageError(
                    f"{folder} is in the way: it is not the folder of a gallery of monetize. "
                    "Move it away, or give the page another name."
                )
        for path in (page, self.folder):
            if path.exists() and not overwrite:
                raise UsageError(
                    f"{path} exists. Move it away, give the page another name, or replace the "
                    "gallery with --overwrite."
                )


def make(
    results: Results,
    gallery: Gallery,
    reporter: Reporter,
    *,
    photos: Path | None = None,
    overwrite: bool = False,
) -> None:
    """Make the gallery of a finished job: its pictures appear as a whole, and the page last.

    `photos` is the folder that was painted from; without it, the one that the summary names. A
    photo that is not there or cannot be read is left out with a warning. Raises UsageError for
    what is in the way, InputError for a damaged zip, and StorageError.
    """
    gallery.check(overwrite=overwrite)
    photos = photos or results.photos
    with explained(gallery.folder), _part(gallery):
        size, lacking = write_pictures(gallery.part, results, photos, reporter)
        _warn(lacking, photos, results, reporter)
        entries = [_entry(row, has_photo=row["file"] not in lacking) for row in results.painted]
        page = render(
            gallery.page.stem,
            _about(results, lacking),
            gallery.folder.name,
            entries,
            size=size,
            options=results.paint_flags,
        )
        _publish(gallery, page)
    reporter.say(f"Gallery: {gallery.page}")


def gallery_of(job: Job) -> tuple[Gallery, bool]:
    """Where a job's gallery will be, and whether it may replace one that is there.

    That it may by --overwrite, and where a job that has begun finds its own. Raises UsageError
    for what is in the way, so that this is known before the work and not after it.
    """
    gallery, workspace = Gallery(job.outputs.page), Workspace(job.outputs.archive)
    is_its_own = workspace.started and _is_ours(gallery.folder)
    replace = job.overwrite or workspace.may_replace or is_its_own
    gallery.check(overwrite=replace)
    return gallery, replace


def make_after(job: Job, gallery: Gallery, reporter: Reporter, *, overwrite: bool) -> None:
    """Make the gallery of a job that was just done; what stops it says that the zip is there."""
    archive = job.outputs.archive
    rest = f"{archive} is done; monetize gallery {archive} makes its page"
    try:
        make(read_results(job.outputs), gallery, reporter, photos=job.folder, overwrite=overwrite)
    except KeyboardInterrupt:
        raise Interrupted(f"Interrupted. {rest}.") from None
    except StorageError as error:
        raise StorageError(f"{error}. {rest}.") from error


def _is_ours(folder: Path) -> bool:
    return not folder.is_symlink() and (folder / MARK).is_file()


@contextmanager
def _part(gallery: Gallery) -> Iterator[None]:
    """Have an empty folder to fill; what is left of it in the end is removed."""
    _remove(gallery.part)
    try:
        gallery.part.mkdir()
        (gallery.part / MARK).write_text(f"The pictures of {gallery.page.name}.\n", "utf-8")
        yield
    finally:
        _remove(gallery.part)


def _remove(folder: Path) -> None:
    """Remove a gallery's folder with its mark last: cut off, it can still be told for one."""
    if folder.is_dir():
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
        shutil.rmtree(folder)


def _warn(
    lacking: Mapping[str, str], photos: Path | None, results: Results, reporter: Reporter
) -> None:
    if not lacking:
        return
    of = f"of {counted(len(results.painted), 'photo')}"
    way_out = "--photos FOLDER says where the photos are."
    if photos is None:
        summary = results.outputs.summary
        reporter.warn(
            f"{summary} is missing or names no folder of photos, and paintings are shown alone. "
            f"{way_out}"
        )
        return
    absent = [file for file, why in lacking.items() if why == NOT_FOUND]
    unread = [f"{file} ({why})" for file, why in lacking.items() if why != NOT_FOUND]
    if absent:
        reporter.warn(
            f"{len(absent):,} {of} are not in {photos}, and their paintings are shown alone: "
            f"{name_some(absent)}. {way_out}"
        )
    if unread:
        reporter.warn(
            f"{len(unread):,} {of} cannot be read, and their paintings are shown alone: "
            f"{name_some(unread)}"
        )


def _entry(row: Mapping[str, str], *, has_photo: bool) -> Entry:
    return Entry(
        file=row["file"],
        photo=row["photo"],
        has_photo=has_photo,
        caption=row["caption"],
        prompt=row["prompt"],
        seed=row["seed"],
        weights=weights_of(row),
        evaluations=row.get("evaluations", ""),
        settings=row.get("settings", ""),
        error=row.get("error", ""),
    )


def _about(results: Results, lacking: Mapping[str, str]) -> str:
    """The line below the page's title."""
    parts = [counted(len(results.painted), "painting")]
    if painter := results.name_of("painter"):
        parts[0] += f" by {painter}"
    if captioner := results.name_of("captioner"):
        parts.append(f"captions by {captioner}")
    if results.unreadable:
        parts.append(f"{counted(results.unreadable, 'photo')} could not be read when they were due")
    if lacking:
        parts.append(f"{len(lacking):,} shown without their photo")
    return "; ".join(parts)


def _publish(gallery: Gallery, page: bytes) -> None:
    """Put the filled folder and the page in their places; an older gallery stays if that fails."""
    folder, part, old = gallery.folder, gallery.part, gallery.old
    flush_all()
    if old.exists() and not folder.exists():
        old.replace(folder)  # an earlier call was cut off between the two renames
    _remove(old)
    try:
        if folder.exists():
            folder.replace(old)
        part.replace(folder)
        write_bytes(gallery.page, page)
    except BaseException:
        if not part.exists():
            _remove(folder)
        if old.exists():
            old.replace(folder)
        raise
    _remove(old)
