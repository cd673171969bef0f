"""What has changed since a job began: its settings, photos and library versions."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monetize.errors import UsageError
from monetize.messages import counted, name_some, printable


def check_settings(folder: Path, begun: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Raise UsageError, naming each setting that differs from those the job started with."""
    changed = differences(begun, wanted)
    if changed:
        raise UsageError(
            f"{printable(folder)} holds a job that was started with other settings:",
            *(f"  {line}" for line in changed),
            "Give those settings to continue it, --overwrite to start again, or another output.",
        )


def check_out(folder: Path, begun: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Raise UsageError if a workspace has the work of another output, such as in a store."""
    if begun.get("OUT") == wanted.get("OUT"):
        return
    # Next to an output on a disk, there is no need to say which one it is.
    here = folder.with_name(folder.name.removesuffix(".work"))
    then, now = (settings.get("OUT") or printable(here) for settings in (begun, wanted))
    another = "another folder with --work-folder" if wanted.get("OUT") else "another name for OUT"
    raise UsageError(
        f"{printable(folder)} holds the work of another output:",
        f"  OUT: {then} then, {now} now",
        f"Give {another}, or delete {printable(folder)} if you do not want to continue that job.",
    )


def photo_changes(begun: Sequence[str], now: Sequence[str]) -> list[str]:
    """Describe the photos that are new or gone since the job began."""
    gone, new = sorted(set(begun) - set(now)), sorted(set(now) - set(begun))
    changes = [(new, "new"), (gone, "gone")]
    return [
        f"{counted(len(keys), 'photo')} {what} since this job began: {name_some(keys)}"
        for keys, what in changes
        if keys
    ]


def differences(begun: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Describe each value that has changed, such as "--seed: 1 then, 2 now"."""
    return [
        f"{name}: {_shown(begun.get(name))} then, {_shown(wanted.get(name))} now"
        for name in dict.fromkeys([*begun, *wanted])
        if begun.get(name) != wanted.get(name)
    ]


def _shown(value: Any) -> str:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    return "none" if value in (None, "") else str(value)
