"""The whole job: caption stage → paint stage → pack stage, resumable at any moment."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from monetize import report
from monetize.archive import pack
from monetize.caption_stage import CaptionStage
from monetize.checkpoints import Checkpoint
from monetize.errors import InputError, Interrupted, StorageError, name_some
from monetize.job import Job, plan
from monetize.paint_stage import PaintStage
from monetize.progress import Reporter
from monetize.report import Report
from monetize.storage import write_bytes, writing
from monetize.workspace import Workspace


def run(job: Job, reporter: Reporter) -> Report:
    """Do a job, or go on with it, and leave its zip and reports.

    Raises UsageError for a workspace of other settings, InputError if no photo can be read,
    CheckpointError, StorageError, and Interrupted; finished work stays in the workspace.
    """
    settings = job.settings
    painting = PaintStage(settings.paint, settings.device, reporter)
    captioning = None
    if job.given_captions is None:
        captioning = CaptionStage(settings.caption, settings.device, reporter)
        reporter.say(f"Captioner: {captioning.checkpoint.name} on {captioning.placement}")
    else:
        reporter.say(f"Captions: from {job.captions_file}, no photo is opened")
    reporter.say(f"Painter: {painting.checkpoint.name} on {painting.placement}")
    with Workspace(job.outputs.archive) as workspace:
        if job.overwrite:
            workspace.start_afresh()
        workspace.claim(_fingerprint(job, painting, captioning))
        try:
            return _run_stages(job, workspace, painting, captioning, reporter)
        except KeyboardInterrupt:
            raise Interrupted(f"Interrupted. {_how_to_go_on(job, workspace)}") from None
        except StorageError as error:
            raise StorageError(f"{error}. {_how_to_go_on(job, workspace)}") from error


def _run_stages(
    job: Job,
    workspace: Workspace,
    painting: PaintStage,
    captioning: CaptionStage | None,
    reporter: Reporter,
) -> Report:
    captions, unreadable = job.given_captions or {}, dict[str, str]()
    if captioning:
        captions, unreadable = captioning.run(job, workspace, reporter)
    items = plan(job, captions)
    if not items:
        reasons = (f"{photo}: {why}" for photo, why in unreadable.items())
        raise InputError(f"None of the {len(job.photos)} photos can be read: {name_some(reasons)}")
    painting.warn_of_weights(items, reporter)
    members, flagged = painting.run(job, workspace, items, reporter)
    if not workspace.published:
        with writing(workspace.packed_file) as file:
            pack(file, members)
        with workspace.packed_file.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        outcome = {
            "captioner": _describe(captioning.checkpoint) if captioning else None,
            "painter": _describe(painting.checkpoint),
            "device": str(painting.placement),
            "batch_size": painting.batch_size,
            "painted": len(items) - len(flagged),
            "flagged": len(flagged),
            "unreadable": len(unreadable),
            "zip": {"bytes": workspace.packed_file.stat().st_size, "sha256": digest},
        }
        write_bytes(job.outputs.table, report.table(items, flagged, unreadable))
        write_bytes(job.outputs.summary, report.summary(job, outcome))
        workspace.publish()
    workspace.finish(keep=job.keep_work or bool(unreadable))
    return Report(items, flagged, unreadable, job.outputs.archive.stat().st_size)


def _fingerprint(job: Job, painting: PaintStage, captioning: CaptionStage | None) -> dict[str, Any]:
    """Everything that the paintings depend on, under the names of the flags that set it."""
    settings = job.settings
    caption: Mapping[str, Any] = {"captions": str(job.captions_file)}
    if captioning:
        caption = {**asdict(settings.caption), "captioner": _describe(captioning.checkpoint)}
    return {
        **caption,
        **asdict(settings.paint),
        "weight": [str(weight) for weight in settings.paint.weight],
        "model": _describe(painting.checkpoint),
        "batch_size": painting.batch_size,
        "device": str(painting.placement),
        **{
            name: getattr(settings, name)
            for name in ("style", "seed", "shared_seed", "output_size", "jpeg_quality")
        },
        "photos": [photo.key for photo in job.photos],
    }


def _describe(checkpoint: Checkpoint) -> dict[str, str]:
    return {
        "name": checkpoint.name,
        "source": checkpoint.source,
        "revision": checkpoint.revision,
    }


def _how_to_go_on(job: Job, workspace: Workspace) -> str:
    again = "the same command"
    if job.overwrite:
        again += ", without --overwrite,"
    return (
        f"{len(workspace.captions())} captions and {workspace.painted()} of {len(job.photos)} "
        f"paintings are kept in {workspace.folder}; {again} goes on from there."
    )
