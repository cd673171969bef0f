"""What a job is before any model is loaded: its photos, its outputs, and the plan of its work."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from monetize.atomic_files import output_target
from monetize.captioning.caption_table import read_captions
from monetize.errors import InputError, PhotoError, UsageError
from monetize.images.decoding import open_photo
from monetize.images.photos import Photo, find, require_some
from monetize.job.workspace import Workspace
from monetize.messages import name_some
from monetize.settings import RunSettings

T = TypeVar("T")


@dataclass(frozen=True)
class Outputs:
    """The files that a job leaves: the zip; beside it its report as CSV and JSON, and a page."""

    archive: Path

    @property
    def table(self) -> Path:
        """A row a photo."""
        return self.archive.with_suffix(".csv")

    @property
    def summary(self) -> Path:
        """Settings, checkpoints, counts."""
        return self.archive.with_suffix(".json")

    @property
    def page(self) -> Path:
        """The gallery, where one is wanted."""
        return self.archive.with_suffix(".html")


@dataclass(frozen=True)
class GivenCaptions:
    """A table of captions that was brought along, and why a photo has none in it."""

    captions: Mapping[str, str]
    unreadable: Mapping[str, str]


@dataclass(frozen=True)
class Job:
    """Photos in, zip out. `given_captions` replaces the captioner; `begin` is by time.monotonic."""

    folder: Path
    photos: tuple[Photo, ...]
    passed_over: str
    outputs: Outputs
    settings: RunSettings
    captions_file: Path | None = None
    given_captions: GivenCaptions | None = None
    overwrite: bool = False
    keep_work: bool = False
    begin: float = field(default_factory=time.monotonic)


def prepare(
    folder: Path,
    out: Path,
    settings: RunSettings,
    *,
    captions_file: Path | None = None,
    overwrite: bool = False,
    keep_work: bool = False,
) -> Job:
    """Find the photos and see that the outputs can be made; loads no model.

    Raises UsageError for outputs that are in the way, InputError for a folder without photos
    and for a captions file that lacks one of them.
    """
    outputs = Outputs(out)
    _check_outputs(outputs, captions_file, overwrite)
    found = find(folder, recursive=settings.recursive)
    require_some(found, folder, settings.recursive)
    photos = found.photos[: settings.limit]
    given = _given_captions(captions_file, folder, photos) if captions_file else None
    return Job(
        folder,
        photos,
        found.passed_over,
        outputs,
        settings,
        captions_file,
        given,
        overwrite,
        keep_work,
    )


def _given_captions(file: Path, folder: Path, photos: Sequence[Photo]) -> GivenCaptions:
    """Read captions for these photos; only a photo that cannot be read may lack one."""
    captions, unreadable = read_captions(file), dict[str, str]()
    absent = [photo for photo in photos if photo.key not in captions]
    for photo in absent:
        try:
            open_photo(photo.path)
        except PhotoError as error:
            unreadable[photo.key] = str(error)
        else:
            raise InputError(
                f"{file}: no caption for {len(absent)} of the {len(photos)} photos in {folder}: "
                f"{name_some(each.key for each in absent)}. Add rows for them, or leave "
                "--captions out to have all photos captioned."
            )
    return GivenCaptions(captions, unreadable)


def _check_outputs(outputs: Outputs, captions_file: Path | None, overwrite: bool) -> None:
    out = outputs.archive
    if out.suffix.lower() != ".zip":
        raise UsageError(f"{out}: the output is a zip: give it a name such as images.zip")
    if not out.parent.is_dir():
        raise UsageError(f"{out}: there is no folder {out.parent}: make it first")
    if out.is_dir():
        raise UsageError(f"{out} is a folder: give another name for the zip")
    for path in (out, outputs.table, outputs.summary):
        output_target(path)  # raises for a device, pipe or socket
    workspace = Workspace(out)
    if captions_file:
        _check_captions_file(captions_file.resolve(), outputs, workspace, overwrite)
    if overwrite or workspace.may_replace:
        return
    if out.exists() and workspace.started:
        raise UsageError(
            f"{out} exists. To make it and its reports anew from the paintings in "
            f"{workspace.folder}, move it away and run the command that began them; "
            "--overwrite starts afresh."
        )
    # A job that has begun may find its own reports; before that they are somebody's files.
    for path in (out, outputs.table, outputs.summary):
        if path.exists() and not workspace.started:
            raise UsageError(
                f"{path} exists. Give the zip another name, move the file away, or replace it "
                "with --overwrite."
            )


def _check_captions_file(
    captions_file: Path, outputs: Outputs, workspace: Workspace, overwrite: bool
) -> None:
    if captions_file in (outputs.table.resolve(), outputs.summary.resolve()):
        raise UsageError(
            f"--captions {captions_file} would be overwritten by the report of "
            f"{outputs.archive}: give the zip another name"
        )
    if overwrite and workspace.folder.resolve() in captions_file.parents:
        raise UsageError(
            f"--captions {captions_file} would be removed by --overwrite: copy it elsewhere first"
        )
