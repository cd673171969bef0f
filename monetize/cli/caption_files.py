"""The files of `monetize caption`: the photos it reads, and the tables and sheets it writes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from monetize.cli.terminal import to_json
from monetize.csv_tables import to_csv
from monetize.errors import UsageError
from monetize.images.output_paths import check_files, check_outputs, numbered
from monetize.images.photos import Photo, find, require_some
from monetize.messages import printable


def output_form(form: str | None, output: Path | None, *, overwrite: bool) -> str | None:
    """The form to write: csv, json or None for text, by --csv and --json or the ending of --output.

    Raises UsageError if they disagree, and if the output exists.
    """
    if output is None:
        return form
    check_files([output], "--output", overwrite=overwrite)
    ending = output.suffix.lower()[1:]
    if ending not in ("csv", "json"):
        return form
    if form not in (None, ending):
        raise UsageError(f"--output {output} and --{form} are different formats: keep one")
    return ending


def find_photos(paths: Sequence[Path], recursive: bool) -> list[Photo]:
    """List the given photos, and those of the given folders; raises InputError for an empty one."""
    photos = []
    for path in paths:
        if not path.is_dir():
            photos.append(Photo(str(path), path))
            continue
        found = find(path, recursive=recursive)
        require_some(found, path, recursive)
        prefix = f"{path.as_posix()}/" if len(paths) > 1 else ""
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


def table(form: str | None, captions: Mapping[str, str], reasons: Mapping[str, str]) -> bytes:
    """The captions as CSV, JSON or tab-separated text; only JSON includes unreadable photos."""
    if form == "json":
        rows = [{"photo": key, "caption": text} for key, text in captions.items()]
        rows += [{"photo": key, "error": why} for key, why in reasons.items()]
        return to_json(rows)
    if form == "csv":
        return to_csv(("photo", "caption"), captions.items())
    return "".join(f"{printable(key)}\t{text}\n" for key, text in captions.items()).encode()
