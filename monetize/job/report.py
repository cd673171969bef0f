"""The reports of a job: OUT.csv with a row for each photo, OUT.json with settings and counts."""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from monetize import __version__
from monetize.captioning.spec import CaptionerSpec
from monetize.checkpoints.resolve import Checkpoint
from monetize.csv_tables import to_csv
from monetize.job.caption_stage import Captioned
from monetize.job.fingerprint import Fingerprint
from monetize.job.job import Job
from monetize.job.outcome import Outcome
from monetize.job.painting_store import SavedPainting
from monetize.job.plan import Item
from monetize.painting.spec import PainterSpec
from monetize.prompts.weights import Weight
from monetize.settings import own_names

COLUMNS = (
    "photo", "file", "caption", "prompt", "seed", "weights", "evaluations", "settings",
    "photo_sha256", "status", "error",
)  # fmt: skip
LIBRARIES = ("torch", "diffusers", "transformers", "pillow")
UNREADABLE, FAILED = "unreadable", "failed"
BLACKED_OUT = "blacked out by the safety checker"


def table(
    items: Sequence[Item],
    saved: Mapping[str, SavedPainting],
    captioned: Captioned,
    failed: Mapping[str, str],
) -> bytes:
    """The CSV report, sorted by photo; `failed` has why a readable photo was not painted."""
    rows = [_row(item, saved[item.identity], captioned) for item in items]
    empty = [""] * (len(COLUMNS) - 3)
    rows += [(key, *empty, UNREADABLE, why) for key, why in captioned.unreadable.items()]
    rows += [(key, *empty, FAILED, why) for key, why in failed.items()]
    rows.sort(key=lambda row: str(row[0]))
    return to_csv(COLUMNS, rows, verbatim=("settings",))


def _row(item: Item, painting: SavedPainting, captioned: Captioned) -> tuple[object, ...]:
    record = captioned.records.get(item.photo)
    return (
        item.photo,
        item.file,
        item.caption,
        item.request.prompt.written,
        item.request.seed,
        weights_cell(item.request.prompt.weights),
        painting.evaluations,
        painting.settings,
        record.sha256 if record else "",
        "flagged" if painting.flagged else "painted",
        BLACKED_OUT if painting.flagged else "",
    )


def summary(
    job: Job,
    painter: PainterSpec,
    captioner: CaptionerSpec | None,
    fingerprint: Fingerprint,
    outcome: Outcome,
) -> bytes:
    """The JSON report; `settings` has the tables and keys of a preset, as they were used."""
    content = {
        "photos": str(job.folder),
        "captions": str(job.captions_file) if job.captions_file else None,
        "captioner": _describe(captioner.checkpoint) if captioner else None,
        "painter": _describe(painter.checkpoint),
        "loras": [
            {"name": lora.name, "scale": lora.scale, "revision": lora.revision}
            for lora in painter.checkpoint.loras
        ],
        "embeddings": [
            {"name": each.name, "token": each.token, "revision": each.revision}
            for each in painter.checkpoint.embeddings
        ],
        "device": str(painter.placement),
        "painted": outcome.paintings - outcome.flagged,
        "flagged": outcome.flagged,
        "unreadable": len(outcome.unreadable),
        "failed": len(outcome.failed),
        **_output(outcome),
        "settings": {
            "run": _own_values(job.settings),
            "caption": _own_values(captioner.settings if captioner else job.settings.caption),
            "paint": _own_values(painter.settings),
            "device": _own_values(job.settings.device),
        },
        "painter_digest": fingerprint.painter_digest,
        "captioner_digest": fingerprint.captioner_digest,
        "versions": library_versions(),
    }
    return json.dumps(content, indent=2).encode() + b"\n"


def _output(outcome: Outcome) -> dict[str, Any]:
    if not outcome.archive_sha256:
        return {"folder": {"bytes": outcome.output_bytes}}
    return {"zip": {"bytes": outcome.output_bytes, "sha256": outcome.archive_sha256}}


def library_versions() -> dict[str, str]:
    """The versions that the bytes of a painting depend on."""
    return {"monetize": __version__, **{name: version(name) for name in LIBRARIES}}


def weights_cell(weights: Sequence[Weight]) -> str:
    """Weights in a cell of the table: a JSON list of texts as `--weight` takes them, or empty."""
    return json.dumps([str(weight) for weight in weights], ensure_ascii=False) if weights else ""


def _own_values(settings: object) -> dict[str, Any]:
    values = {name: getattr(settings, name) for name in own_names(type(settings))}
    return {
        name: [str(each) for each in value] if isinstance(value, tuple) else value
        for name, value in values.items()
    }


def _describe(checkpoint: Checkpoint) -> dict[str, str]:
    return {
        "name": checkpoint.name,
        "source": checkpoint.source,
        "revision": checkpoint.revision,
    }
