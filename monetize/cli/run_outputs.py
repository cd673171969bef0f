"""The outputs of `monetize run`: which arguments name them, and which can be combined."""

from pathlib import Path

from monetize.errors import UsageError
from monetize.job.outputs import Outputs
from monetize.stores.remote_path import AnyPath, RemotePath


def choose_outputs(out: AnyPath | None, folder: Path | None, work_folder: Path | None) -> Outputs:
    """The outputs of a job; raises UsageError unless exactly one of the first two is given."""
    if out is not None and folder is not None:
        raise UsageError(f"both the zip {out} and --output-folder are given: leave out one")
    if isinstance(out, RemotePath):
        if out == out.parent:
            raise UsageError(f"{out}: give the zip a name, such as {out}/images.zip")
        return Outputs.of_url(out, work_folder)
    if work_folder is not None:
        raise UsageError(
            "--work-folder is for an OUT in a store: unfinished work is kept next to one on a disk"
        )
    if folder is not None:
        return Outputs.of_folder(folder)
    if out is None:
        raise UsageError("give the zip to write, such as images.zip, or --output-folder")
    return Outputs(out)


def check_gallery(outputs: Outputs, *, join: bool) -> None:
    """Raise UsageError for a job whose gallery cannot be built when it is done."""
    if outputs.store:
        raise UsageError(
            f"--gallery needs an OUT on a disk: download {outputs.name} and its reports when the "
            "job is done, and build it with monetize gallery"
        )
    if join:
        raise UsageError(
            "--gallery does not work with --join, where several machines share a job: build it "
            f"when the job is done, with monetize gallery {outputs.out}"
        )


def check_shared(outputs: Outputs, work_folder: Path | None) -> None:
    """Raise UsageError if machines would not find each other's work."""
    if outputs.store and work_folder is None:
        raise UsageError(
            f"--join with {outputs.name} needs --work-folder: a folder on a disk that all machines "
            "see at the same path"
        )
