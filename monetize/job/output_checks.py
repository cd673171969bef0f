"""Check before any work that a job's outputs can be written and replace no other files."""

from pathlib import Path

from monetize.atomic_files import output_target
from monetize.errors import UsageError
from monetize.file_errors import explain_read_errors
from monetize.job.destinations import StoreDestination
from monetize.job.outputs import Outputs
from monetize.job.workspace import Workspace
from monetize.messages import name_some
from monetize.stores.remote_path import AnyPath

# What systems put into every folder.
SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini"})


def check_outputs(
    outputs: Outputs,
    photos: AnyPath,
    captions_file: Path | None,
    *,
    overwrite: bool,
    update: bool,
) -> None:
    """Raise UsageError for outputs that cannot be written, or that may not be replaced.

    `photos` is the folder of the photos.
    """
    if overwrite and update:
        raise UsageError("--overwrite starts again and --update keeps what fits: leave one out")
    out = outputs.out
    if outputs.is_folder:
        _check_folder(outputs, photos)
    elif out.suffix.lower() != ".zip":
        folder = "on a disk" if outputs.store else out
        raise UsageError(
            f"{outputs.name}: the output is a zip: give it a name such as images.zip, or write "
            f"the paintings into a folder with --output-folder {folder}"
        )
    if outputs.store is None:
        _check_place(outputs)
    else:
        StoreDestination(outputs.store).check(out)
    workspace = outputs.workspace
    workspace.remove_leftover()
    if captions_file:
        _check_captions_file(captions_file.resolve(), outputs, workspace, overwrite)
    if overwrite or workspace.record.may_replace:
        return
    if update:
        _check_update(outputs, workspace)
        return
    for path in _in_the_way(outputs, workspace):
        raise UsageError(
            f"{path} exists. Use --update to keep the paintings in it that fit and paint the "
            f"rest, --overwrite to start again, or another name for the {outputs.kind}."
        )


def _check_place(outputs: Outputs) -> None:
    """Raise UsageError or StorageError if files on a disk cannot have these names."""
    out = outputs.out
    if not out.parent.is_dir():
        raise UsageError(f"{out}: there is no folder {out.parent}: create it first")
    if out.is_dir() and not outputs.is_folder:
        raise UsageError(f"{out} is a folder: use another name for the zip, or --output-folder")
    for path in outputs.files:
        output_target(path)  # raises for a device, pipe or socket


def _in_the_way(outputs: Outputs, workspace: Workspace) -> list[AnyPath]:
    if outputs.is_folder:
        return [outputs.out] if any(path.exists() for path in outputs.files) else []
    # A job that has written its reports finds them again; any others are not ours.
    files = (outputs.out,) if workspace.record.reported else outputs.files
    destination = outputs.destination
    return [destination.locate(path) for path in files if destination.exists(path)]


def _check_folder(outputs: Outputs, photos: AnyPath) -> None:
    folder = outputs.out
    if not folder.name:
        raise UsageError(f"--output-folder {folder}: give a folder with a name")
    if folder.suffix.lower() == ".zip":
        raise UsageError(
            f"--output-folder {folder} is the name of a zip: leave out --output-folder, or use "
            "another name"
        )
    if folder.is_symlink() or folder.exists():
        if not folder.is_dir():
            raise UsageError(f"--output-folder {folder} is a file: use another name")
        if isinstance(photos, Path) and folder.samefile(photos):
            raise UsageError(f"--output-folder {folder} has the photos: use another folder")
        if others := [] if outputs.summary.exists() else _visible(folder):
            raise UsageError(
                f"--output-folder {folder} is not empty ({name_some(others)}), and monetize run "
                "did not write it: use another folder"
            )


def _visible(folder: Path) -> list[str]:
    """The names in a folder, without hidden files and what systems put into every folder."""
    with explain_read_errors(folder):
        names = sorted(path.name for path in folder.iterdir())
    return [name for name in names if name[0] != "." and name.lower() not in SYSTEM_FILES]


def _check_update(outputs: Outputs, workspace: Workspace) -> None:
    """Raise UsageError unless these are the files of a finished job."""
    destination = outputs.destination
    there = [destination.locate(path) for path in outputs.files if destination.exists(path)]
    if there and not workspace.record.started and len(there) < len(outputs.files):
        raise UsageError(
            f"--update needs a {outputs.kind} and both of its reports, but there is only "
            f"{name_some(there)}. Use another name for the {outputs.kind}, or --overwrite to "
            "start again."
        )


def _check_captions_file(
    captions_file: Path, outputs: Outputs, workspace: Workspace, overwrite: bool
) -> None:
    reports = () if outputs.store else (outputs.table.resolve(), outputs.summary.resolve())
    if captions_file in reports:
        raise UsageError(
            f"--captions {captions_file} would be overwritten by the report of {outputs.out}: "
            f"give the {outputs.kind} another name"
        )
    if overwrite and workspace.folder.resolve() in captions_file.parents:
        raise UsageError(
            f"--captions {captions_file} would be removed by --overwrite: copy it elsewhere first"
        )
