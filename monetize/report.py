"""What a job reports: OUT.csv with a row a photo, OUT.json with settings, models and counts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from monetize import __version__
from monetize.captions import to_csv
from monetize.job import Item, Job

COLUMNS = ("photo", "file", "caption", "prompt", "seed", "weights", "status", "error")
LIBRARIES = ("torch", "diffusers", "transformers", "pillow")
BLACKED_OUT = "blacked out by the safety checker"


@dataclass(frozen=True)
class Report:
    """The outcome of a job.

    `flagged` are the files that the safety checker blacked out; `unreadable` says of each photo
    that was not painted why.
    """

    items: Sequence[Item]
    flagged: frozenset[str]
    unreadable: Mapping[str, str]
    archive_bytes: int

    @property
    def exit_code(self) -> int:
        """0 where every photo was painted, 3 where some could not be read."""
        return 3 if self.unreadable else 0


def table(items: Sequence[Item], flagged: frozenset[str], unreadable: Mapping[str, str]) -> bytes:
    """The CSV report, sorted by photo."""
    rows: list[tuple[object, ...]] = [
        (
            item.photo,
            item.file,
            item.caption,
            item.prompt.text,
            item.seed,
            ", ".join(str(weight) for weight in item.prompt.weights),
            "flagged" if item.file in flagged else "painted",
            BLACKED_OUT if item.file in flagged else "",
        )
        for item in items
    ]
    rows += [(photo, "", "", "", "", "", "unreadable", why) for photo, why in unreadable.items()]
    rows.sort(key=lambda row: str(row[0]))
    return to_csv(COLUMNS, rows)


def summary(job: Job, outcome: Mapping[str, Any]) -> bytes:
    """The JSON report; its settings have the names and tables of a TOML preset."""
    settings = asdict(job.settings)
    settings["paint"]["weight"] = [str(weight) for weight in job.settings.paint.weight]
    content = {
        "photos": str(job.folder),
        "captions": str(job.captions_file) if job.captions_file else None,
        **outcome,
        "settings": settings,
        "versions": {"monetize": __version__, **{name: version(name) for name in LIBRARIES}},
    }
    return json.dumps(content, indent=2).encode() + b"\n"
