"""Read the reports of a finished job and check them against its zip.

The files may have been edited, damaged or made up: whatever they hold, reading them raises
InputError or gives values that are safe to use as file names and as flags.
"""

import csv
import io
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from monetize.csv_tables import unescape_formula
from monetize.errors import InputError, UsageError
from monetize.job.outputs import Outputs
from monetize.job.painted_files import opened
from monetize.job.summary_reader import Summary, read_summary
from monetize.messages import counted, name_some, printable
from monetize.prompts.weights import parse_weight, split_weights
from monetize.settings import MAX_SEED, PaintSettings, flag, flags, own_names

COLUMNS = ("photo", "file", "caption", "prompt", "seed", "status")
# These settings change only the speed, or are given for each row.
UNPAINTED = frozenset({"unreadable", "failed"})
NOT_PAINTED = frozenset({"weight", "batch_size", "compile", "safety_checker"})
PAINT_FLAGS = frozenset(flag(name) for name in own_names(PaintSettings))


@dataclass(frozen=True)
class Row:
    """A painting in OUT.csv.

    `weights` are as `--weight` takes them; `settings` are flags and values that differ for this
    painting, None if the report does not have that column. `photo_sha256` is the digest of the
    photo that was captioned, empty if its caption was given.
    """

    photo: str
    file: str
    caption: str
    prompt: str
    seed: str
    weights: tuple[str, ...] = ()
    evaluations: str = ""
    settings: tuple[str, ...] | None = None
    photo_sha256: str = ""
    error: str = ""


@dataclass(frozen=True)
class Results:
    """The paintings in OUT.csv, the number of photos that were not painted, and OUT.json."""

    outputs: Outputs
    painted: tuple[Row, ...]
    unreadable: int
    summary: Summary

    @property
    def from_photos(self) -> bool:
        """Whether the paintings start from their photos."""
        return bool(self.summary.paint and self.summary.paint.get("strength"))

    @property
    def paint_options(self) -> tuple[str, ...] | None:
        """The flags and values that make `monetize paint` use the job's settings.

        Differences of single paintings are in their rows. None if the settings are not known:
        without a summary, or if a time budget changed settings that an old report does not list.
        """
        used = self.summary.paint
        if used is None or (self.summary.budgeted and self.painted[0].settings is None):
            return None
        names = [name for name in own_names(PaintSettings) if name not in NOT_PAINTED]
        values = {name: used[name] for name in names if name in used}
        return tuple(shlex.split(flags(values, PaintSettings())))


def read_results(outputs: Outputs) -> Results:
    """Read a job's reports.

    Raises InputError for a table or zip that is missing or damaged, for a table that does not
    belong to this zip, and for values that `monetize run` would not write.
    """
    rows = _read_table(outputs)
    painted = tuple(_row(row, outputs.table) for row in rows if row["status"] not in UNPAINTED)
    if not painted:
        raise InputError(
            f"{outputs.table}: no painting is listed: does it belong to {outputs.out}?"
        )
    with opened(outputs) as files:
        names = files.names
    strangers = [row.file for row in painted if row.file not in names or _in_folder(row.file)]
    if strangers:
        raise InputError(
            f"{outputs.table} names {counted(len(strangers), 'painting')} not at the root of "
            f"{outputs.out}: {name_some(strangers)}. Put the report and the {outputs.kind} of the "
            "same job together."
        )
    return Results(outputs, painted, len(rows) - len(painted), read_summary(outputs.summary))


def painted_names(outputs: Outputs) -> set[str]:
    """The names of a job's paintings by its table alone; raises InputError as `read_results`."""
    return {row["file"] for row in _read_table(outputs) if not _in_folder(row["file"])}


def _row(row: Mapping[str, str], table: Path) -> Row:
    try:
        settings = row.get("settings")
        return Row(
            photo=_photo(row["photo"]),
            file=row["file"],
            caption=row["caption"],
            prompt=row["prompt"],
            seed=_seed(row["seed"]),
            weights=_weights(row.get("weights", "")),
            evaluations=row.get("evaluations", ""),
            settings=None if settings is None else _settings(settings),
            photo_sha256=row.get("photo_sha256", ""),
            error=row.get("error", ""),
        )
    except (ValueError, RecursionError, UsageError) as error:
        name = printable(row["file"])[:100]
        raise InputError(f"{table}: not the report of monetize run: {name}: {error}") from None


def _photo(name: str) -> str:
    """A photo's path below its folder; a report must not lead anywhere else."""
    path = PurePath(name)
    if not name or "\0" in name or path.is_absolute() or path.drive or ".." in path.parts:
        raise ValueError(f"the photo {printable(name)[:100]!r} is not below the photos' folder")
    return name


def _seed(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,20}", text) or int(text) > MAX_SEED:
        raise ValueError(f"the seed {printable(text)[:100]!r} is not a number up to {MAX_SEED}")
    return text


def _weights(cell: str) -> tuple[str, ...]:
    """Weights from a JSON list of texts, or as one types them: pine=-1, red sun=2."""
    weights = json.loads(cell) if cell.startswith("[") else split_weights(cell)
    if not all(isinstance(weight, str) for weight in weights):
        raise ValueError(f"the weights are not a list of texts: {printable(cell)[:100]}")
    for weight in weights:
        parse_weight(weight)
    return tuple(weights)


def _settings(cell: str) -> tuple[str, ...]:
    """Flags of `monetize paint`, each followed by its value."""
    parts = tuple(shlex.split(cell))
    if len(parts) % 2 or not PAINT_FLAGS.issuperset(parts[::2]):
        raise ValueError(f"the settings {printable(cell)[:100]!r} are not flags of monetize paint")
    return parts


def _unescaped(row: Mapping[str, str]) -> dict[str, str]:
    return {name: unescape_formula(row[name]) for name in row if name is not None}


def _in_folder(file: str) -> bool:
    return "/" in file or "\\" in file or file in ("", ".", "..")


def _read_table(outputs: Outputs) -> list[dict[str, str]]:
    path = outputs.table
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
    except FileNotFoundError:
        raise InputError(
            f"{path} is missing: it has the captions and seeds of {outputs.out}. Put the report "
            f"that monetize run wrote {'into' if outputs.is_folder else 'next to'} the "
            f"{outputs.kind}."
        ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    reader = csv.DictReader(io.StringIO(text, newline=""), restval="", strict=True)
    try:
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise InputError(
                f"{path}: not the report of monetize run: it has no column {', '.join(missing)}; "
                f"its first line is {printable(','.join(reader.fieldnames or ()))[:300]!r}"
            )
        return [_unescaped(row) for row in reader]
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.reader.line_num}: not valid CSV: {error}") from None
