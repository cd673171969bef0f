"""The whole job: caption stage → paint stage → pack stage, resumable at any moment."""

import hashlib
from collections.abc import Mapping, Sequence

from monetize.atomic_files import write_bytes, writing
from monetize.captioning.spec import CaptionerSpec
from monetize.contest.archive import changed_names, pack
from monetize.errors import InputError, Interrupted, StorageError
from monetize.images.heic import heic_caution
from monetize.images.palettes import PaletteSource
from monetize.job import report
from monetize.job.caption_stage import caption_photos
from monetize.job.fingerprint import fingerprint
from monetize.job.job import Job
from monetize.job.outcome import Outcome
from monetize.job.paint_stage import Painted, PaintStage
from monetize.job.plan import Item, plan
from monetize.job.weight_warnings import WeightWarnings, check_weights
from monetize.job.workspace import Workspace
from monetize.messages import name_some
from monetize.painting.spec import PainterSpec
from monetize.progress import Reporter


def run(job: Job, reporter: Reporter) -> Outcome:
    """Do a job, or continue it, and leave its zip and reports.

    Raises UsageError for a workspace of other settings, InputError if no photo can be read,
    CheckpointError, StorageError, and Interrupted; finished work stays in the workspace.
    """
    settings = job.settings
    if job.given_captions is None and (caution := heic_caution(job.photos)):
        reporter.warn(caution)
    painter = PainterSpec.resolve(settings.paint, settings.device, reporter)
    check_weights(painter.tokenizer, settings.paint.weight, settings.style)
    palette = PaletteSource.of(settings.paint.palette) if settings.paint.palette else None
    captioner = None
    if job.given_captions is None:
        captioner = CaptionerSpec.resolve(settings.caption, settings.device, reporter)
        reporter.say(f"Captioner: {captioner}")
    else:
        reporter.say(f"Captions: from {job.captions_file}")
    reporter.say(f"Painter: {painter}")
    wanted = fingerprint(job, painter, captioner, palette)
    with Workspace(job.outputs.archive) as workspace:
        try:
            changed = workspace.begin(wanted, report.library_versions(), overwrite=job.overwrite)
            for difference in changed:
                reporter.warn(f"{difference}: paintings made from now on may differ in rounding")
            outcome = workspace.published
            if outcome is None:
                stage = PaintStage(job, painter, palette, workspace, reporter)
                outcome = _make(job, workspace, stage, painter, captioner, reporter)
            workspace.finish(keep=job.keep_work or bool(outcome.unreadable))
        except KeyboardInterrupt:
            raise Interrupted(f"Interrupted. {_what_is_kept(job, workspace)}") from None
        except StorageError as error:
            raise StorageError(f"{error}. {_what_is_kept(job, workspace)}") from error
    return outcome


def _make(
    job: Job,
    workspace: Workspace,
    painting: PaintStage,
    painter: PainterSpec,
    captioner: CaptionerSpec | None,
    reporter: Reporter,
) -> Outcome:
    """Caption, paint, pack, and put the outputs in place."""
    if job.settings.time_budget is not None:
        painting.measure_speed(job.settings.time_budget)
    captions, unreadable = _captions(job, workspace, painting, captioner, reporter)
    _warn_about_unknown_photos(job, captions, reporter)
    warnings = WeightWarnings(painter.settings.weight, painter.tokenizer.model_max_length)
    items = []
    for item, weighted in plan(job, captions, painter.tokenizer):
        warnings.add(item.request.prompt, weighted)
        items.append(item)
    if not items:
        raise none_readable(unreadable)
    warnings.tell(reporter)
    _warn_about_names(items, reporter)
    painted = painting.run(items)
    outcome = _pack(job, workspace, painted, unreadable)
    _write_reports(job, workspace, items, painted, outcome, painter, captioner)
    workspace.publish((job.outputs.table, job.outputs.summary), outcome)
    return outcome


def _warn_about_names(items: Sequence[Item], reporter: Reporter) -> None:
    """Report photos whose paintings have other names, because some system rejects theirs."""
    changed = changed_names({item.photo: item.file for item in items})
    if changed:
        pairs = name_some(f"{photo} is {file}" for photo, file in changed.items())
        reporter.warn(f"names that not every system accepts are changed in the zip: {pairs}")


def _captions(
    job: Job,
    workspace: Workspace,
    painting: PaintStage,
    captioner: CaptionerSpec | None,
    reporter: Reporter,
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """{photo: caption} and {photo: why it has none}, made or given."""
    if captioner is None:
        assert job.given_captions is not None
        return job.given_captions.captions, job.given_captions.unreadable

    def announce(captions_left: float) -> None:
        deadline = painting.deadline
        if deadline is not None and not deadline.announced:
            deadline.plan(captions_left)

    return caption_photos(job, captioner, workspace, reporter, announce)


def _pack(
    job: Job, workspace: Workspace, painted: Painted, unreadable: Mapping[str, str]
) -> Outcome:
    """Pack the paintings in the workspace."""
    packed = workspace.packed(job.outputs.archive)
    with writing(packed) as file:
        pack(file, painted.members)
    with packed.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Outcome(
        paintings=len(painted.members),
        flagged=len(painted.flagged),
        unreadable=dict(unreadable),
        archive_bytes=packed.stat().st_size,
        archive_sha256=digest,
    )


def _write_reports(
    job: Job,
    workspace: Workspace,
    items: list[Item],
    painted: Painted,
    outcome: Outcome,
    painter: PainterSpec,
    captioner: CaptionerSpec | None,
) -> None:
    outputs = job.outputs
    table = report.table(items, painted, outcome.unreadable)
    write_bytes(workspace.packed(outputs.table), table)
    summary = report.summary(job, painter, captioner, outcome)
    write_bytes(workspace.packed(outputs.summary), summary)


def none_readable(reasons: Mapping[str, str]) -> InputError:
    """The error of a job without a single caption, with the first reasons."""
    texts = (f"{photo}: {why}" for photo, why in reasons.items())
    return InputError(f"None of the photos can be read: {name_some(texts)}")


def _warn_about_unknown_photos(job: Job, captions: Mapping[str, str], reporter: Reporter) -> None:
    """Warn about captions whose photo is not in the job, unless photos were left out."""
    keys = {photo.key for photo in job.photos}
    unknown = [key for key in captions if key not in keys]
    if unknown and job.settings.limit is None:
        reporter.warn(f"unused captions, for photos that are not here: {name_some(unknown)}")


def resume_command(job: Job) -> str:
    """What to type to continue a job, in words."""
    return "the same command" + (" without --overwrite" if job.overwrite else "")


def _what_is_kept(job: Job, workspace: Workspace) -> str:
    paintings = f"{workspace.painted()} of {len(job.photos)} paintings"
    if job.given_captions is None:
        captions = workspace.captions()
        made = sum(photo.key in captions for photo in job.photos)
        paintings = f"{made} captions and {paintings}"
    return (
        f"{paintings} are kept in {workspace.folder}; {resume_command(job)} continues from there."
    )
