"""What a job reports: OUT.csv with a row a photo, OUT.json with settings, models and counts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from monetize import __version__
from monetize.checkpoints.resolve import Checkpoint
from monetize.csv_tables import to_csv
from monetize.errors import UNREADABLE_EXIT_CODE
from monetize.job.caption_stage import CaptionStage
from monetize.job.job import Item, Job
from monetize.job.paint_stage import Painted, PaintStage
from monetize.settings import own_names

COLUMNS = (
    "photo", "file", "caption", "prompt", "seed", "weights", "evaluations", "settings",
    "status", "error",
)  # fmt: skip
LIBRARIES = ("torch", "diffusers", "transformers", "pillow")
BLACKED_OUT = "blacked out by the safety checker"


@dataclass(frozen=True)
class Report:
    """The outcome of a job.

    Of the `paintings` in the zip, the safety checker blacked out so many as are `flagged`;
    `unreadable` says of each photo that was not painted why.
    """

    paintings: int
    flagged: int
    unreadable: Mapping[str, str]
    archive_bytes: int

    @property
    def exit_code(self) -> int:
        """0 where every photo was painted, else 3."""
        return UNREADABLE_EXIT_CODE if self.unreadable else 0


def table(items: Sequence[Item], painted: Painted, unreadable: Mapping[str, str]) -> bytes:
    """The CSV report, sorted by photo."""
    rows: list[tuple[object, ...]] = [
        (
            item.photo,
            item.file,
            item.caption,
            item.prompt.text,
            item.seed,
            ", ".join(str(weight) for weight in item.prompt.weights),
            painted.evaluations[item.file],
            painted.settings[item.file],
            "flagged" if item.file in painted.flagged else "painted",
            BLACKED_OUT if item.file in painted.flagged else "",
        )
        for item in items
    ]
    rows += [(photo, *[""] * 7, "unreadable", why) for photo, why in unreadable.items()]
    rows.sort(key=lambda row: str(row[0]))
    return to_csv(COLUMNS, rows)


def summary(
    job: Job,
    painting: PaintStage,
    captioning: CaptionStage | None,
    outcome: Mapping[str, Any],
) -> bytes:
    """The JSON report; `settings` has the tables and keys of a preset, as they were used."""
    content = {
        "photos": str(job.folder),
        "captions": str(job.captions_file) if job.captions_file else None,
        "captioner": _describe(captioning.checkpoint) if captioning else None,
        "painter": _describe(painting.checkpoint),
        "device": str(painting.placement),
        **outcome,
        "settings": {
            "run": _own_values(job.settings),
            "caption": _own_values(captioning.settings if captioning else job.settings.caption),
            "paint": _own_values(painting.settings),
            "device": _own_values(job.settings.device),
        },
        "versions": library_versions(),
    }
    return json.dumps(content, indent=2).encode() + b"\n"


def library_versions() -> dict[str, str]:
    """The versions that the bytes of a painting depend on."""
    return {"monetize": __version__, **{name: version(name) for name in LIBRARIES}}


def _own_values(settings: object) -> dict[str, Any]:
    values = {name: getattr(settings, name) for name in own_names(type(settings))}
    if "weight" in values:
        values["weight"] = [str(weight) for weight in values["weight"]]
    return values


def _describe(checkpoint: Checkpoint) -> dict[str, str]:
    return {
        "name": checkpoint.name,
        "source": checkpoint.source,
        "revision": checkpoint.revision,
    }
