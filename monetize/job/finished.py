"""Import a finished job: its captions and paintings go back into a workspace."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from monetize.chunks import chunks
from monetize.errors import InputError, PhotoError
from monetize.file_errors import explain_read_errors
from monetize.image_sizes import FIT
from monetize.job.caption_log import CaptionedPhoto, PhotoRecord
from monetize.job.fingerprint import Fingerprint
from monetize.job.outputs import Outputs
from monetize.job.painted_files import PaintedFiles, opened
from monetize.job.painting_store import NewPainting
from monetize.job.plan import painting_identity
from monetize.job.report_reader import Results, Row, read_results
from monetize.job.workspace import Workspace
from monetize.messages import counted
from monetize.progress import Reporter
from monetize.stores.files import download
from monetize.stores.remote_path import AnyPath

IMPORTED_AT_ONCE = 256  # paintings, which are in memory together
UNKNOWN = -1  # a size and time that no photo has, so that its content is compared


def take_up_finished(
    outputs: Outputs, workspace: Workspace, wanted: Fingerprint, reporter: Reporter
) -> None:
    """Copy what a finished zip and its reports hold into a workspace that has nothing yet.

    Paintings made with other settings are left out, as are captions by another captioner. Raises
    InputError for reports that are missing or damaged.
    """
    if workspace.paintings.count() or not outputs.destination.exists(outputs.last):
        return
    with _here(outputs, workspace) as finished:
        _take_up(finished, outputs.name, workspace, wanted, reporter)


@contextmanager
def _here(outputs: Outputs, workspace: Workspace) -> Iterator[Outputs]:
    """Copy outputs in a store into the workspace for the time of the block.

    An InputError in the block names the outputs in the store.
    """
    if outputs.store is None:
        yield outputs
        return
    here = Outputs(workspace.folder / f"finished{outputs.out.suffix}")
    pairs = list(zip(outputs.files, here.files, strict=True))
    try:
        for path, copy in pairs:
            url = outputs.store / path.name
            with explain_read_errors(url):
                download(url, copy)
        yield here
    except InputError as error:
        message = str(error)
        for path, copy in pairs:
            message = message.replace(str(copy), str(outputs.store / path.name))
        raise InputError(message) from None
    finally:
        for _, copy in pairs:
            copy.unlink(missing_ok=True)


def _take_up(
    outputs: Outputs, name: AnyPath, workspace: Workspace, wanted: Fingerprint, reporter: Reporter
) -> None:
    """Import outputs on a disk, which the user calls `name`."""
    results = read_results(outputs)
    if results.summary.captioner_digest == wanted.captioner_digest:
        _take_up_captions(results, workspace, wanted.captioner_digest)
    if results.summary.painter_digest != wanted.painter_digest:
        reporter.warn(f"{name} was painted with other settings: all of it is painted again")
        return
    with opened(outputs) as files:
        paintings = list(_paintings(results, files, wanted))
        for number, part in enumerate(chunks(paintings, IMPORTED_AT_ONCE)):
            workspace.paintings.save(number, part)
    reporter.say(f"Imported: {counted(len(paintings), 'painting')} from {name}")


def _take_up_captions(results: Results, workspace: Workspace, digest: str) -> None:
    rows = [row for row in results.painted if row.photo_sha256]
    workspace.caption_log.append(
        CaptionedPhoto(
            row.photo, PhotoRecord(UNKNOWN, UNKNOWN, row.photo_sha256), row.caption, digest
        )
        for row in rows
    )


def _paintings(results: Results, files: PaintedFiles, wanted: Fingerprint) -> Iterator[NewPainting]:
    """The paintings that are intact; a damaged one is painted again."""
    painter = wanted.painter
    from_photos = painter["--strength"] is not None or painter["--size"] == FIT
    for row in results.painted:
        try:
            data = files.read(row.file)
        except PhotoError:
            continue
        yield NewPainting(
            painting_identity(
                row.photo,
                row.prompt,
                row.weights,
                int(row.seed),
                wanted.painter_digest,
                row.photo_sha256 if from_photos else "",
            ),
            row.file,
            data,
            _evaluations(row),
            bool(row.error),
            shlex.join(row.settings or ()),
        )


def _evaluations(row: Row) -> int:
    return int(row.evaluations) if row.evaluations.isdecimal() else 0
