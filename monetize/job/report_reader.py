"""What a finished job left, read back: the zip's table and summary, checked against the zip."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monetize.errors import InputError
from monetize.images.zip_files import open_zip
from monetize.job.job import Outputs
from monetize.messages import name_some, printable
from monetize.settings import PaintSettings, flags, own_names

COLUMNS = ("photo", "file", "caption", "prompt", "seed", "status")
# A weight is a phrase, which may hold a comma, and a number.
WEIGHTS = re.compile(r"(.+?=[-+.\w]+)(?:, |$)")
# Settings of speed alone, and those that `paint` gets row by row.
NOT_PAINTED = frozenset({"weight", "batch_size", "compile", "safety_checker"})


@dataclass(frozen=True)
class Results:
    """The rows of OUT.csv that were painted, how many were not, and OUT.json, empty if missing."""

    outputs: Outputs
    painted: tuple[Mapping[str, str], ...]
    unreadable: int
    summary: Mapping[str, Any]

    @property
    def photos(self) -> Path | None:
        """The folder of the photos, as it was given to the job."""
        folder = self.summary.get("photos")
        return Path(folder) if folder else None

    def name_of(self, model: str) -> str:
        """The name of the `painter` or `captioner`; empty if there was none, or it is not known."""
        name: str = (self.summary.get(model) or {}).get("name", "")
        return name

    @property
    def paint_flags(self) -> str | None:
        """What `monetize paint` must be told to paint with the same settings, for a shell.

        What differs for single paintings is in their rows. None where that is not known: without
        a summary, or where a time budget changed what an older report does not tell.
        """
        settings = self.summary.get("settings", {})
        used = settings.get("paint")
        budgeted = settings.get("run", {}).get("time_budget") is not None
        if used is None or (budgeted and "settings" not in self.painted[0]):
            return None
        names = [name for name in own_names(PaintSettings) if name not in NOT_PAINTED]
        told = {name: used[name] for name in names if used.get(name) is not None}
        return flags(told, PaintSettings())


def read_results(outputs: Outputs) -> Results:
    """Read a job's reports.

    Raises InputError for a table or zip that is missing or damaged, and for a table that is
    not of this zip.
    """
    rows = _read_table(outputs)
    painted = tuple(row for row in rows if row["status"] != "unreadable")
    if not painted:
        raise InputError(f"{outputs.table}: no row of a painting: is it of {outputs.archive}?")
    with opened(outputs.archive) as archive:
        members = set(archive.namelist())
    strangers = [
        row["file"] for row in painted if row["file"] not in members or _has_folder(row["file"])
    ]
    if strangers:
        raise InputError(
            f"{outputs.table} names {len(strangers)} paintings that are not at the root of "
            f"{outputs.archive}: {name_some(strangers)}. Put the report and the zip of one job "
            "beside each other."
        )
    return Results(outputs, painted, len(rows) - len(painted), _read_summary(outputs.summary))


@contextmanager
def opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip to read; raises as `open_zip`, and InputError for damage where it is read."""
    try:
        with open_zip(archive) as file:
            yield file
    except zipfile.BadZipFile as error:
        raise InputError(f"{archive}: damaged: {error}. Make it anew.") from None


def weights_of(row: Mapping[str, str]) -> tuple[str, ...]:
    """The weights of a painting, each as `--weight` takes it."""
    return tuple(WEIGHTS.findall(row.get("weights", "")))


def _has_folder(file: str) -> bool:
    return "/" in file or "\\" in file or file in ("", ".", "..")


def _read_table(outputs: Outputs) -> list[dict[str, str]]:
    path = outputs.table
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
    except FileNotFoundError:
        raise InputError(
            f"{path} is missing: the captions and seeds of {outputs.archive} stand in it. Put the "
            "report that monetize run wrote beside the zip."
        ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    reader = csv.DictReader(io.StringIO(text, newline=""), restval="", strict=True)
    try:
        lacking = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if lacking:
            raise InputError(
                f"{path}: not the report of monetize run: it has no column {', '.join(lacking)}; "
                f"its first line is {printable(','.join(reader.fieldnames or ()))!r}"
            )
        return list(reader)
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.reader.line_num}: not valid CSV: {error}") from None


def _read_summary(path: Path) -> Mapping[str, Any]:
    if not path.exists():
        return {}
    try:
        summary = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}. Move it away to do without.") from None
    if not isinstance(summary, dict):
        raise InputError(f"{path}: not the report of monetize run. Move it away to do without.")
    return summary
