"""The whole job: caption stage → paint stage → pack stage, resumable at any moment."""

import hashlib
from collections.abc import Mapping
from typing import Any

from monetize.atomic_files import write_bytes, writing
from monetize.contest.archive import pack
from monetize.errors import Interrupted, StorageError
from monetize.job import report
from monetize.job.caption_stage import CaptionStage, none_readable
from monetize.job.job import Job, plan
from monetize.job.paint_stage import PaintStage
from monetize.job.report import Report
from monetize.job.weight_warnings import check_weights, warn_of_weights
from monetize.job.workspace import PHOTOS, Workspace
from monetize.messages import name_some
from monetize.progress import Reporter
from monetize.settings import flag, own_names


def run(job: Job, reporter: Reporter) -> Report:
    """Do a job, or go on with it, and leave its zip and reports.

    Raises UsageError for a workspace of other settings, InputError if no photo can be read,
    CheckpointError, StorageError, and Interrupted; finished work stays in the workspace.
    """
    settings = job.settings
    painting = PaintStage(settings.paint, settings.device, reporter)
    check_weights(painting.tokenizer, settings.paint.weight, settings.style)
    captioning = None
    if job.given_captions is None:
        captioning = CaptionStage(settings.caption, settings.device, reporter)
        reporter.say(f"Captioner: {captioning}")
    else:
        reporter.say(f"Captions: from {job.captions_file}")
    reporter.say(f"Painter: {painting}")
    fingerprint = _fingerprint(job, painting, captioning)
    with Workspace(job.outputs.archive) as workspace:
        try:
            changed = workspace.begin(
                fingerprint, report.library_versions(), overwrite=job.overwrite
            )
            for difference in changed:
                reporter.warn(
                    f"{difference}: what is painted from now on may differ in its last bits"
                )
            outcome = workspace.published
            if outcome is None:
                outcome = _make(job, workspace, painting, captioning, reporter)
            workspace.finish(keep=job.keep_work or bool(outcome["unreadable"]))
        except KeyboardInterrupt:
            raise Interrupted(f"Interrupted. {_what_is_kept(job, workspace)}") from None
        except StorageError as error:
            raise StorageError(f"{error}. {_what_is_kept(job, workspace)}") from error
    return Report(**outcome, archive_bytes=job.outputs.archive.stat().st_size)


def _make(
    job: Job,
    workspace: Workspace,
    painting: PaintStage,
    captioning: CaptionStage | None,
    reporter: Reporter,
) -> dict[str, Any]:
    """Caption, paint, pack, and put the outputs in their places; returns the outcome."""
    captions: Mapping[str, str]
    unreadable: Mapping[str, str]
    deadline = painting.deadline(job, workspace, reporter)

    def foresee(captions_left: float) -> None:
        if deadline is not None and not deadline.announced:
            deadline.plan(captions_left, reporter)

    if captioning:
        captions, unreadable = captioning.run(job, workspace, reporter, foresee)
    else:
        assert job.given_captions is not None
        captions, unreadable = job.given_captions.captions, job.given_captions.unreadable
    _warn_of_strangers(job, captions, reporter)
    items = plan(job, captions)
    if not items:
        raise none_readable(unreadable)
    warn_of_weights(painting.tokenizer, painting.settings.weight, items, reporter)
    painted = painting.run(job, workspace, items, reporter, deadline)

    outputs = job.outputs
    packed = workspace.packed(outputs.archive)
    with writing(packed) as file:
        pack(file, painted.members)
    with packed.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    summary = report.summary(
        job,
        painting,
        captioning,
        {
            "painted": len(items) - len(painted.flagged),
            "flagged": len(painted.flagged),
            "unreadable": len(unreadable),
            "zip": {"bytes": packed.stat().st_size, "sha256": digest},
        },
    )
    write_bytes(workspace.packed(outputs.table), report.table(items, painted, unreadable))
    write_bytes(workspace.packed(outputs.summary), summary)
    outcome = {
        "paintings": len(items),
        "flagged": len(painted.flagged),
        "unreadable": dict(unreadable),
    }
    workspace.publish((outputs.table, outputs.summary), outcome)
    return outcome


def _fingerprint(job: Job, painting: PaintStage, captioning: CaptionStage | None) -> dict[str, Any]:
    """Everything that the paintings depend on, under the names that set it."""
    values: dict[str, Any] = {"PHOTOS": str(job.folder.resolve())}
    for settings in (job.settings, painting.settings):
        for name in own_names(type(settings)):
            values[flag(name)] = getattr(settings, name)
    for name in ("recursive", "limit"):  # told by the list of photos
        del values[flag(name)]
    # A job that was short of time, or was refused, may go on with more of it.
    del values["--allow-approximate"]
    values["--time-budget"] = "given" if job.settings.time_budget is not None else None
    values["--weight"] = [str(weight) for weight in painting.settings.weight]
    values["--model"] = painting.checkpoint.identity
    values["--palette"] = painting.palette_identity
    values["--device"] = str(painting.placement)
    values["--captions"] = str(job.captions_file) if job.captions_file else None
    if captioning:
        for name in own_names(type(captioning.settings)):
            values[flag(name)] = getattr(captioning.settings, name)
        values["--captioner"] = captioning.checkpoint.identity
    values[PHOTOS] = [photo.key for photo in job.photos]
    return values


def _warn_of_strangers(job: Job, captions: Mapping[str, str], reporter: Reporter) -> None:
    """Tell of captions that no photo has, which may be misspelt, unless photos were left out."""
    keys = {photo.key for photo in job.photos}
    strangers = [key for key in captions if key not in keys]
    if strangers and job.settings.limit is None:
        reporter.warn(f"captions for no photo of this job, not used: {name_some(strangers)}")


def again(job: Job) -> str:
    """What to type to go on with a job, in words."""
    return "the same command" + (" without --overwrite" if job.overwrite else "")


def _what_is_kept(job: Job, workspace: Workspace) -> str:
    paintings = f"{workspace.painted()} of {len(job.photos)} paintings"
    if job.given_captions is None:
        captions = workspace.captions()
        made = sum(photo.key in captions for photo in job.photos)
        paintings = f"{made} captions and {paintings}"
    return f"{paintings} are kept in {workspace.folder}; {again(job)} goes on from there."
