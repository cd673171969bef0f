"""Presets: named settings and TOML files of settings."""

import reprlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from monetize.errors import UsageError
from monetize.file_errors import explain_read_errors
from monetize.messages import first_line
from monetize.settings import CaptionSettings, DeviceSettings, PaintSettings, RunSettings, own_names

# Values of --preset; PaintSettings documents the keys.
PRESETS: dict[str, dict[str, Any]] = {
    "draft": {
        "scheduler": "dpm++",
        "num_inference_steps": 20,
        "guidance_start": 0.2,
        "guidance_end": 0.8,
    },
}
MAX_SIZE = 20_000  # bytes; long dotted keys take the parser quadratic time
TABLES: dict[str, type] = {
    "run": RunSettings,
    "caption": CaptionSettings,
    "paint": PaintSettings,
    "device": DeviceSettings,
}


def load_config(path: Path, tables: Collection[str] = tuple(TABLES)) -> dict[str, Any]:
    """Read these tables of a TOML preset into a dict of settings.

    Raises UsageError if the file is not TOML or has an unknown table or key; the message suggests
    the nearest known one. Types and limits of the values are checked when settings are built.
    """
    document = _parse(path)
    values: dict[str, Any] = {}
    for table, entries in document.items():
        _check_known(path, table, TABLES, "table")
        if not isinstance(entries, dict):
            raise UsageError(f"{path}: {table} is a table: write [{table}] on a line of its own")
        for key, value in entries.items():
            _check_known(path, key, own_names(TABLES[table]), f"key of [{table}]")
            if table in tables:
                values[key] = value
    return values


def _parse(path: Path) -> dict[str, Any]:
    # Imported here, as --help does not need them.
    import tomllib

    from monetize.text_files import decode, lines

    with explain_read_errors(path, UsageError), path.open("rb") as file:
        data = file.read(MAX_SIZE + 1)
    if len(data) > MAX_SIZE:
        raise UsageError(f"{path}: not a preset: larger than {MAX_SIZE:,} bytes")
    try:
        return tomllib.loads("\n".join(lines(decode(data))))
    except RecursionError:
        raise UsageError(f"{path}: not valid TOML: nested too deeply") from None
    except ValueError as error:  # of syntax, encoding, or a number of too many digits
        raise UsageError(f"{path}: not valid TOML: {first_line(error)}") from None


def _check_known(path: Path, name: str, known: Any, what: str) -> None:
    if name not in known:
        import difflib

        # --steps is short for --num-inference-steps, so part of a name is a near match.
        parts = [each for each in known if name in each.split("_")]
        near = (parts + difflib.get_close_matches(name, known, n=1, cutoff=0.0))[0]
        raise UsageError(
            f"{path}: {reprlib.repr(name)} is not a {what}; the nearest is {near!r}. "
            f"Known: {', '.join(known)}."
        )
