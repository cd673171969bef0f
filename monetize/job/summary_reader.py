"""Read OUT.json of a finished job, which may have been edited, damaged or made up."""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monetize.errors import InputError
from monetize.stores.remote_path import is_url

TEXTS = frozenset({"lora", "embedding"})  # settings that are given more than once
MOVE_AWAY = "Move it away to continue without it."


@dataclass(frozen=True)
class Summary:
    """The parts of OUT.json that are needed; all unknown without the file.

    `photos` is the folder given to the job, if it is on a disk; `painter` and `captioner` are names
    of checkpoints or empty, `paint` are the complete settings or None. The digests tell whether
    another job paints and captions alike.
    """

    photos: Path | None = None
    painter: str = ""
    captioner: str = ""
    paint: Mapping[str, str | int | float | tuple[str, ...]] | None = None
    budgeted: bool = False
    painter_digest: str = ""
    captioner_digest: str = ""


def read_summary(path: Path) -> Summary:
    """Read a summary; raises InputError for anything that `monetize run` would not write."""
    if not path.exists():
        return Summary()
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        why = "too deeply nested" if isinstance(error, RecursionError) else error
        raise InputError(f"{path}: cannot be read: {why}. {MOVE_AWAY}") from None
    try:
        return _summary(_table(content, "the file"))
    except ValueError as error:
        message = f"{path}: not the report of monetize run: {error}. {MOVE_AWAY}"
        raise InputError(message) from None


def _summary(content: Mapping[str, Any]) -> Summary:
    settings = _table(content.get("settings"), "settings")
    paint = settings.get("paint")
    budget = _table(settings.get("run"), "settings.run").get("time_budget")
    return Summary(
        photos=_folder(content.get("photos")),
        painter=_name(content, "painter"),
        captioner=_name(content, "captioner"),
        paint=None if paint is None else _values(_table(paint, "settings.paint")),
        budgeted=budget is not None,
        painter_digest=str(content.get("painter_digest", "")),
        captioner_digest=str(content.get("captioner_digest", "")),
    )


def _table(value: object, name: str) -> Mapping[str, Any]:
    """Return a table, empty for null; raises ValueError for anything else."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not an object")
    return value


def _text(value: object, name: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"{name} is not text")
    return value


def _texts(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"{name} is not a list of texts")
    return tuple(value)


def _name(content: Mapping[str, Any], model: str) -> str:
    return _text(_table(content.get(model), model).get("name"), f"{model}.name")


def _folder(value: object) -> Path | None:
    text = _text(value, "photos")
    try:
        encoded = os.fsencode(text)
    except UnicodeEncodeError:
        encoded = b"\0"
    if b"\0" in encoded:
        raise ValueError("photos is not the name of a folder")
    # A report may come from a stranger: it must not make this machine ask other ones for photos.
    return Path(text) if text and not is_url(text) else None


def _values(paint: Mapping[str, Any]) -> dict[str, str | int | float | tuple[str, ...]]:
    """The settings that are text, a finite number or texts; weights and switches are not needed."""
    values: dict[str, str | int | float | tuple[str, ...]] = {}
    for name, value in paint.items():
        if value is None or isinstance(value, bool) or name == "weight":
            continue
        if name in TEXTS:
            values[name] = _texts(value, f"settings.paint.{name}")
            continue
        if not isinstance(value, (str, int, float)) or value in (math.inf, -math.inf):
            raise ValueError(f"settings.paint.{name} is neither text nor a number")
        if value != value:
            raise ValueError(f"settings.paint.{name} is not a number")
        values[name] = value
    return values
