"""Presets: settings by name and from TOML files."""

import difflib
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from monetize.errors import UsageError
from monetize.settings import CaptionSettings, DeviceSettings, PaintSettings, RunSettings, own_names

# By the name of --preset; what each key does is told by its field in PaintSettings.
PRESETS: dict[str, dict[str, Any]] = {
    "draft": {
        "scheduler": "dpm++",
        "num_inference_steps": 20,
        "guidance_start": 0.2,
        "guidance_end": 0.8,
    },
}
TABLES: dict[str, type] = {
    "run": RunSettings,
    "caption": CaptionSettings,
    "paint": PaintSettings,
    "device": DeviceSettings,
}


def load_config(path: Path, tables: Collection[str] = tuple(TABLES)) -> dict[str, Any]:
    """Read these tables of a TOML preset into one mapping from setting name to value.

    Raises UsageError for text that is not TOML and for an unknown table or key, with the
    nearest known one. The values' types and limits are checked where the settings are built.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not valid TOML: {error}") from None
    values: dict[str, Any] = {}
    for table, entries in document.items():
        _known(path, table, TABLES, "table")
        if not isinstance(entries, dict):
            raise UsageError(f"{path}: {table} is a table: write [{table}] on a line of its own")
        for key, value in entries.items():
            _known(path, key, own_names(TABLES[table]), f"key of [{table}]")
            if table in tables:
                values[key] = value
    return values


def _known(path: Path, name: str, known: Any, what: str) -> None:
    if name not in known:
        # --steps is short for --num-inference-steps, so a part of a name is near to it.
        parts = [each for each in known if name in each.split("_")]
        near = (parts + difflib.get_close_matches(name, known, n=1, cutoff=0.0))[0]
        raise UsageError(
            f"{path}: {name!r} is not a {what}; the nearest is {near!r}. Known: {', '.join(known)}."
        )
