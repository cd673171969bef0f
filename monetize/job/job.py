"""What a job is before any model is loaded: its photos, its outputs, and the plan of its work."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from monetize.captioning.given_captions import read_given_captions
from monetize.durations import format_duration
from monetize.errors import InputError, PhotoError, UsageError
from monetize.images.decoding import open_photo
from monetize.images.own_paintings import pass_over_paintings
from monetize.images.photos import Photo, find, require_some
from monetize.job.output_checks import check_outputs
from monetize.job.outputs import Outputs
from monetize.messages import name_some
from monetize.prompts.style import read_styles
from monetize.settings import RunSettings
from monetize.stores.remote_path import AnyPath


@dataclass(frozen=True)
class GivenCaptions:
    """The captions that the user gave, why photos without one cannot be read, and a note.

    The note says which captions of a photo were left out, if any.
    """

    captions: Mapping[str, str]
    unreadable: Mapping[str, str]
    note: str = ""


@dataclass(frozen=True)
class Job:
    """Photos in, a zip or a folder out.

    `given_captions` replace the captioner, except for missing ones if `caption_missing`. Each
    photo's style is one of `styles`. `overwrite` and `update` allow replacing finished outputs, the
    latter keeping what fits; with `join`, other machines may work on it, too. `begin`, from which a
    time budget counts, is a value of time.monotonic.
    """

    folder: AnyPath
    photos: tuple[Photo, ...]
    passed_over: str
    outputs: Outputs
    settings: RunSettings
    captions_file: Path | None = None
    given_captions: GivenCaptions | None = None
    styles: tuple[str, ...] = ()
    caption_missing: bool = False
    overwrite: bool = False
    update: bool = False
    keep_work: bool = False
    join: bool = False
    begin: float = field(default_factory=time.monotonic)

    @property
    def needs_captioner(self) -> bool:
        """Whether photos may have to be captioned."""
        return self.given_captions is None or self.caption_missing


def prepare(
    folder: AnyPath,
    outputs: Outputs,
    settings: RunSettings,
    *,
    captions_file: Path | None = None,
    caption_missing: bool = False,
    overwrite: bool = False,
    update: bool = False,
    keep_work: bool = False,
    join: bool = False,
    since: float | None = None,
) -> Job:
    """Find the photos and check that the outputs can be made; loads no model.

    A time budget counts `since` this time, in seconds since 1970, or from now on. Raises UsageError
    for outputs in the way and for a budget that is used up, InputError for a folder without
    photos, for a captions file without one of them, and for a file of styles that cannot be used.
    """
    begin = time.monotonic() - _elapsed(since, settings.time_budget)
    if join:
        _check_join(settings, overwrite=overwrite, update=update)
    check_outputs(outputs, folder, captions_file, overwrite=overwrite, update=update)
    found = find(folder, recursive=settings.recursive)
    found = pass_over_paintings(found)
    require_some(found, folder, settings.recursive)
    photos = found.photos[: settings.limit]
    given = None
    if captions_file:
        given = _given_captions(captions_file, folder, photos, complete=not caption_missing)
    elif caption_missing:
        raise UsageError("--caption-missing needs --captions")
    return Job(
        folder,
        photos,
        found.passed_over,
        outputs,
        settings,
        captions_file,
        given,
        _styles(settings),
        caption_missing=caption_missing,
        overwrite=overwrite,
        update=update,
        keep_work=keep_work,
        join=join,
        begin=begin,
    )


def _check_join(settings: RunSettings, *, overwrite: bool, update: bool) -> None:
    """Raise UsageError for what one machine alone can do."""
    for given, name in (
        (overwrite, "--overwrite"),
        (update, "--update"),
        (settings.time_budget is not None, "--time-budget"),
        (settings.executor.executor == "ray", "--executor ray"),
    ):
        if given:
            raise UsageError(
                f"{name} does not work with --join, where several machines share a job: leave out "
                "one of the two"
            )


def _elapsed(since: float | None, time_budget: float | None) -> float:
    """How many seconds of a time budget are over."""
    if since is None:
        return 0.0
    if time_budget is None:
        raise UsageError("--since needs --time-budget: give both")
    elapsed = time.time() - since
    if elapsed < 0:
        raise UsageError(f"--since is {format_duration(-elapsed)} in the future: give a past time")
    if elapsed >= time_budget:
        raise UsageError(
            f"--since was {format_duration(elapsed)} ago, so the --time-budget of "
            f"{format_duration(time_budget)} is over: give a larger one, or leave --since out"
        )
    return elapsed


def _styles(settings: RunSettings) -> tuple[str, ...]:
    return read_styles(Path(settings.style_file)) if settings.style_file else (settings.style,)


def _given_captions(
    file: Path, folder: AnyPath, photos: Sequence[Photo], *, complete: bool
) -> GivenCaptions:
    """Read captions for these photos; if complete, only an unreadable photo may have none.

    An empty caption is as good as none.
    """
    listed, note = read_given_captions(file, [photo.key for photo in photos])
    captions = {key: caption for key, caption in listed.items() if caption}
    unreadable: dict[str, str] = {}
    absent = [photo for photo in photos if photo.key not in captions] if complete else []
    for photo in absent:
        try:
            open_photo(photo.path)
        except PhotoError as error:
            unreadable[photo.key] = str(error)
        else:
            raise _missing_captions(file, folder, [each.key for each in absent], photos, listed)
    return GivenCaptions(captions, unreadable, note)


def _missing_captions(
    file: Path,
    folder: AnyPath,
    absent: Sequence[str],
    photos: Sequence[Photo],
    listed: Mapping[str, str],
) -> InputError:
    if file.is_dir() and not listed:
        return InputError(
            f"{file}: there is no .txt file named after a photo in {folder}. "
            f"monetize caption {folder} --sidecar writes them next to the photos."
        )
    empty = [key for key in absent if key in listed]
    note = f" Empty captions: {name_some(empty)}." if empty else ""
    return InputError(
        f"{file}: no caption for {len(absent)} of the {len(photos)} photos in {folder}: "
        f"{name_some(absent)}.{note} Add captions for them, or use --caption-missing to have these "
        "photos captioned."
    )
