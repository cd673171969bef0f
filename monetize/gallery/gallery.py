"""Build a gallery from a contest zip and its reports: a page, and a folder with its images."""

from collections.abc import Mapping

from monetize.file_errors import explain_write_errors
from monetize.gallery.files import GalleryFiles
from monetize.gallery.page import Entry, render
from monetize.gallery.pictures import NOT_FOUND, write_pictures
from monetize.job.report_reader import Results, Row
from monetize.messages import counted, name_some, printable
from monetize.progress import Reporter
from monetize.stores.remote_path import AnyPath


def build(
    results: Results,
    files: GalleryFiles,
    reporter: Reporter,
    *,
    photos: AnyPath | None = None,
    overwrite: bool = False,
) -> None:
    """Build the gallery of a finished job; its folder appears as a whole, and the page last.

    `photos` is the folder of the photos; by default the one that the summary names. A photo that
    is missing or unreadable is left out with a warning. Raises UsageError for existing files,
    InputError for a damaged zip, and StorageError.
    """
    files.check(overwrite=overwrite)
    photos = photos or results.summary.photos
    with explain_write_errors(files.folder), files.filling():
        size, missing = write_pictures(files.part, results, photos, reporter)
        _warn(missing, photos, results, reporter)
        page = render(
            files.page.stem,
            _about(results, missing),
            files.folder.name,
            [_entry(row, results, photos, missing) for row in results.painted],
            size=size,
            options=results.paint_options,
        )
        files.publish(page)
    reporter.say(f"Gallery: {files.page}")


def _warn(
    missing: Mapping[str, str], photos: AnyPath | None, results: Results, reporter: Reporter
) -> None:
    """Warn once for each reason which paintings have no photo; `missing` maps files to reasons."""
    if not missing:
        return
    of = f"of {counted(len(results.painted), 'photo')}"
    way_out = "Give their folder with --photos FOLDER."
    if photos is None:
        reporter.warn(
            f"{results.outputs.summary} is missing or names no folder of photos on a disk, so "
            f"paintings are shown without them. {way_out}"
        )
        return
    absent = [file for file, why in missing.items() if why == NOT_FOUND]
    unread = [f"{printable(file)} ({why})" for file, why in missing.items() if why != NOT_FOUND]
    if absent:
        reporter.warn(
            f"Missing from {photos}: {len(absent):,} {of}, whose paintings are shown alone: "
            f"{name_some(absent)}. {way_out}"
        )
    if unread:
        reporter.warn(
            f"Unreadable: {len(unread):,} {of}, whose paintings are shown alone: "
            f"{name_some(unread)}"
        )


def _entry(row: Row, results: Results, photos: AnyPath | None, missing: Mapping[str, str]) -> Entry:
    settings = row.settings or ()
    if results.from_photos and photos is not None:
        settings += ("--init-image", str(photos / row.photo))
    return Entry(
        file=row.file,
        photo=row.photo,
        has_photo=row.file not in missing,
        caption=row.caption,
        prompt=row.prompt,
        seed=row.seed,
        weights=row.weights,
        evaluations=row.evaluations,
        settings=settings,
        error=row.error,
    )


def _about(results: Results, missing: Mapping[str, str]) -> str:
    """The line below the page's title."""
    summary = results.summary
    parts = [counted(len(results.painted), "painting")]
    if summary.painter:
        parts[0] += f" by {summary.painter}"
    if summary.captioner:
        parts.append(f"captions by {summary.captioner}")
    if results.unreadable:
        parts.append(f"{counted(results.unreadable, 'photo')} could not be read by the job")
    if missing:
        parts.append(f"{len(missing):,} shown without their photo")
    return "; ".join(parts)
