"""Put a job's paintings and reports in place: in a zip, or each atomically in a folder."""

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from monetize.atomic_files import flush_folder, write_bytes, write_many, writing
from monetize.contest.archive import pack
from monetize.errors import InputError
from monetize.file_errors import explain_read_errors, explain_write_errors
from monetize.job.outcome import Outcome
from monetize.job.outputs import Outputs
from monetize.job.report_reader import painted_names
from monetize.job.workspace import Workspace
from monetize.progress import Reporter, Stage


def packed(outputs: Outputs, workspace: Workspace, files: Mapping[str, Path]) -> tuple[int, str]:
    """Pack paintings by their names, if they go into a zip; returns their size and its SHA-256.

    The size is in bytes; without a zip, the digest is empty. Raises StorageError.
    """
    if outputs.is_folder:
        with explain_read_errors(workspace.folder):
            return sum(path.stat().st_size for path in files.values()), ""
    path = workspace.packed(outputs.out)
    with writing(path) as file:
        pack(file, files.items())
    with explain_read_errors(path), path.open("rb") as file:
        return os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()


def publish(
    outputs: Outputs,
    workspace: Workspace,
    files: Mapping[str, Path],
    outcome: Outcome,
    reporter: Reporter,
) -> None:
    """Give paintings and packed reports their final names.

    Raises UsageError if one of the names was taken since the job began, and StorageError.
    """
    if not outputs.is_folder:
        workspace.publish((outputs.table, outputs.summary), outcome, reporter)
        return
    paths = [outputs.out / name for name in files]
    workspace.begin_publishing([*paths, *outputs.files], outcome)
    _fill(outputs, workspace, files, reporter)


def _fill(
    outputs: Outputs, workspace: Workspace, files: Mapping[str, Path], reporter: Reporter
) -> None:
    """Copy files into the folder: it may be on another disk, and what is equal stays.

    The summary comes first, which marks the folder as monetize's; the table comes last, which
    until then names the paintings of an earlier job.
    """
    folder = outputs.out
    with explain_write_errors(folder):
        if not folder.is_dir():
            folder.mkdir()
            flush_folder(folder.parent)
    write_bytes(outputs.summary, _read(workspace.packed(outputs.summary)))
    _remove_others(outputs, files.keys(), reporter)
    with reporter.stage("Writing", len(files), "painting") as progress:
        write_many(folder, _different(folder, files, progress))
    write_bytes(outputs.table, _read(workspace.packed(outputs.table)))
    with explain_write_errors(workspace.folder):
        workspace.packed(outputs.table).unlink()


def _remove_others(outputs: Outputs, names: Collection[str], reporter: Reporter) -> None:
    """Remove the paintings of an earlier job that this one does not have."""
    if not outputs.table.exists():
        return
    try:
        earlier = painted_names(outputs)
    except InputError as error:
        reporter.warn(f"earlier paintings in {outputs.out} are left there: {error}")
        return
    for name in sorted(earlier - set(names)):
        with explain_write_errors(outputs.out / name):
            (outputs.out / name).unlink(missing_ok=True)


def _different(
    folder: Path, files: Mapping[str, Path], progress: Stage
) -> Iterator[tuple[str, bytes]]:
    """Yield names and content of the files that the folder does not have like this."""
    for name, path in sorted(files.items()):
        data, target = _read(path), folder / name
        progress.advance()
        if not target.is_file() or _read(target) != data:
            yield name, data


def _read(path: Path) -> bytes:
    with explain_read_errors(path):
        return path.read_bytes()
