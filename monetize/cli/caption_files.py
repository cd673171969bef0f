"""The files of `monetize caption`: the photos it reads, and the tables and sheets it writes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from monetize.captioning.sidecars import SUFFIX
from monetize.cli.terminal import to_json, to_json_line
from monetize.csv_tables import to_csv
from monetize.errors import UsageError
from monetize.images.file_types import is_image_path
from monetize.images.output_paths import check_files, check_outputs, numbered
from monetize.images.photos import Photo, find, require_some
from monetize.messages import printable
from monetize.stores.remote_path import AnyPath, RemotePath

SIDECAR = "sidecar"
JSON_LINES = ("jsonl", "ndjson")
FORMS = ("csv", "json", *JSON_LINES)


def output_form(form: str | None, output: Path | None, *, overwrite: bool) -> str | None:
    """The form to write, by the flag or the ending of output; None for text.

    Raises UsageError if they disagree, and if the output exists.
    """
    if output is None:
        return form
    if form == SIDECAR:
        raise UsageError("--sidecar writes a file next to each photo: leave out --output")
    check_files([output], "--output", overwrite=overwrite)
    ending = output.suffix.lower()[1:]
    if ending not in FORMS:
        return form
    if form not in (None, ending):
        raise UsageError(f"--output {output} and --{form} are different formats: keep one")
    return ending


def is_photo(path: AnyPath) -> bool:
    """Whether this is a photo rather than a folder; a URL names a photo by its extension."""
    return is_image_path(path.name) if isinstance(path, RemotePath) else not path.is_dir()


def find_photos(paths: Sequence[AnyPath], recursive: bool) -> list[Photo]:
    """List the given photos, and those of the given folders; raises InputError for an empty one."""
    photos = []
    for path in paths:
        if is_photo(path):
            photos.append(Photo(str(path), path))
            continue
        found = find(path, recursive=recursive)
        require_some(found, path, recursive)
        folder = path.as_posix() if isinstance(path, Path) else path.url
        prefix = f"{folder}/" if len(paths) > 1 else ""
        photos += [Photo(prefix + photo.key, photo.path) for photo in found.photos]
    return photos


def plan_sheets(
    heatmap: Path | None, output: Path | None, count: int, *, overwrite: bool
) -> list[Path]:
    """Name the files of the heat maps, if any; raises UsageError if one cannot be written."""
    if heatmap is None:
        return []
    paths = numbered(heatmap, count)
    check_outputs(paths, "--heatmap", overwrite=overwrite)
    if output and output.resolve() in [path.resolve() for path in paths]:
        raise UsageError(f"--output and --heatmap would both write {output}: rename one")
    return paths


def plan_sidecars(
    form: str | None, photos: Sequence[Photo], *, overwrite: bool
) -> Mapping[str, Path]:
    """Name the sidecar of each photo, if they are asked for.

    Raises UsageError for sidecars that exist, and for two photos that would share one.
    """
    if form != SIDECAR:
        return {}
    photo_of_sidecar: dict[Path, Photo] = {}
    for photo in photos:
        if isinstance(photo.path, RemotePath):
            raise UsageError(
                f"--sidecar writes next to photos on a disk, and {printable(photo.path)} is in a "
                "store: write a table instead, with --output captions.csv"
            )
        path = photo.path.with_suffix(SUFFIX)
        other = photo_of_sidecar.setdefault(path, photo)
        if other.path != photo.path:
            raise UsageError(
                f"--sidecar: the captions of {printable(other.key)} and {printable(photo.key)} "
                f"would both go into {printable(path)}: rename one of them"
            )
        if path == photo.path:
            raise UsageError(f"--sidecar would overwrite the photo {printable(path)}: rename it")
    check_files(list(photo_of_sidecar), "--sidecar", overwrite=overwrite)
    return {photo.key: path for path, photo in photo_of_sidecar.items()}


def table(form: str | None, captions: Mapping[str, str], reasons: Mapping[str, str]) -> bytes:
    """The captions as CSV, JSON or tab-separated text; only JSON includes unreadable photos.

    JSON is a list, or a line for each photo.
    """
    if form == "json" or form in JSON_LINES:
        rows = [{"photo": key, "caption": text} for key, text in captions.items()]
        rows += [{"photo": key, "error": why} for key, why in reasons.items()]
        return to_json(rows) if form == "json" else b"".join(map(to_json_line, rows))
    if form == "csv":
        return to_csv(("photo", "caption"), captions.items())
    return "".join(f"{printable(key)}\t{text}\n" for key, text in captions.items()).encode()
