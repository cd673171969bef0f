"""The whole job: caption stage → paint stage → pack stage, resumable at any moment."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from monetize.atomic_files import write_bytes
from monetize.captioning.spec import CaptionerSpec
from monetize.contest.archive import changed_names
from monetize.errors import InputError, Interrupted, MonetizeError, PaintingError, StorageError
from monetize.images.heic import heic_caution
from monetize.images.palettes import PaletteSource
from monetize.job import executors, report
from monetize.job.caption_stage import Captioned, CaptionStage
from monetize.job.fingerprint import Fingerprint, fingerprint
from monetize.job.finished import take_up_finished
from monetize.job.job import Job
from monetize.job.outcome import Outcome
from monetize.job.paint_stage import PaintStage
from monetize.job.painting_store import SavedPainting
from monetize.job.plan import Item, plan
from monetize.job.publication import packed, publish
from monetize.job.start_photos import StartPhotos, check_start_photos
from monetize.job.weight_warnings import WeightWarnings, check_weights
from monetize.job.workspace import Workspace
from monetize.job.workspace_access import POLL_SECONDS
from monetize.messages import counted, name_some
from monetize.painting.spec import PainterSpec
from monetize.progress import Reporter
from monetize.prompts.style import own_words
from monetize.prompts.syntax import PLAIN, hint, parse_prompt

if TYPE_CHECKING:  # Ray is needed only where it is used
    from monetize.job.executors.ray.cluster import RayCluster

OnPacked = Callable[[Path], None]

PACK = "pack"
"""The lease on what is done once, at the end of a job that several machines work on."""


def run(job: Job, reporter: Reporter, on_packed: OnPacked | None = None) -> Outcome:
    """Run or continue a job, and write its zip and reports.

    `on_packed` may look at the zip before it gets its final name, such as one in a store.

    Raises UsageError for a workspace of other settings, InputError if no photo can be read,
    CheckpointError, StorageError, and Interrupted; finished work stays in the workspace.
    """
    with executors.connected(job.settings, reporter) as cluster:
        return _run(job, reporter, cluster, on_packed)


def _run(
    job: Job, reporter: Reporter, cluster: "RayCluster | None", on_packed: OnPacked | None
) -> Outcome:
    settings = job.settings
    placement = cluster.placement() if cluster else None
    if job.needs_captioner and (caution := heic_caution(job.photos)):
        reporter.warn(caution)
    painter = PainterSpec.resolve(settings.paint, settings.device, reporter, placement)
    syntax = settings.paint.prompt_syntax
    style_words = [parse_prompt(own_words(style), syntax).text for style in job.styles]
    check_weights(painter.tokenizer, settings.paint.weight, style_words)
    painter.warn_about_words(style_words, reporter)
    palette = PaletteSource.of(settings.paint.palette) if settings.paint.palette else None
    captioner = None
    if job.given_captions is not None:
        note = f" ({job.given_captions.note})" if job.given_captions.note else ""
        reporter.say(f"Captions: from {job.captions_file}{note}")
    if job.needs_captioner:
        captioner = CaptionerSpec.resolve(settings.caption, settings.device, reporter, placement)
        reporter.say(f"Captioner: {captioner}")
    reporter.say(f"Painter: {painter}")
    wanted = fingerprint(job, painter, captioner, palette)
    outputs = job.outputs
    with outputs.shared_workspace if job.join else outputs.workspace as workspace:
        try:
            changes = workspace.begin(
                wanted.all,
                [photo.key for photo in job.photos],
                report.library_versions(),
                overwrite=job.overwrite,
                update=job.update,
            )
            for change in changes:
                reporter.warn(change)
            outcome = None if job.update else workspace.published
            if outcome is None:
                outcome = _Run(
                    job, wanted, painter, captioner, palette, workspace, reporter, cluster
                ).make(on_packed)
            if workspace.leases is None or workspace.leases.holds(PACK):
                workspace.finish(keep=job.keep_work or not outcome.complete)
        except KeyboardInterrupt:
            raise Interrupted(f"Interrupted. {_what_is_kept(job, workspace)}") from None
        except StorageError as error:
            raise StorageError(f"{error}. {_what_is_kept(job, workspace)}") from error
    return outcome


@dataclass(frozen=True)
class _Run:
    """A job with its models, palette and workspace resolved."""

    job: Job
    fingerprint: Fingerprint
    painter: PainterSpec
    captioner: CaptionerSpec | None
    palette: PaletteSource | None
    workspace: Workspace
    reporter: Reporter
    cluster: "RayCluster | None"

    def make(self, on_packed: OnPacked | None) -> Outcome:
        """Caption, paint, pack, and publish the outputs."""
        job, workspace = self.job, self.workspace
        if job.update:
            take_up_finished(job.outputs, workspace, self.fingerprint, self.reporter)
        painting = PaintStage(
            job, self.painter, self.palette, workspace, self.reporter, self.cluster
        )
        if job.settings.time_budget is not None:
            painting.measure_speed(job.settings.time_budget)
        captioned = self._caption(painting)
        captioned, photos = check_start_photos(job, captioned, self.painter.settings, self.reporter)
        _warn_about_unknown_photos(job, captioned, self.reporter)
        _warn_about_empty_captions(captioned, self.reporter)
        items = self._plan(captioned.captions, photos)
        if not items:
            raise none_readable(captioned.unreadable)
        saved = painting.run(items)
        if (outcome := self._packed_elsewhere()) is not None:
            return outcome
        items = [item for item in items if item.photo not in painting.failed]
        if not items:
            raise PaintingError("None of the photos could be painted: every chunk was given up")
        files = {item.file: saved[item.identity].path for item in items}
        size, digest = packed(job.outputs, workspace, files)
        outcome = Outcome(
            paintings=len(items),
            flagged=sum(saved[item.identity].flagged for item in items),
            unreadable=dict(captioned.unreadable),
            output_bytes=size,
            archive_sha256=digest,
            failed=painting.failed,
        )
        self._write_reports(items, saved, captioned, outcome)
        if on_packed is not None:
            on_packed(workspace.packed(job.outputs.out))
        publish(job.outputs, workspace, files, outcome, self.reporter)
        return outcome

    def _packed_elsewhere(self) -> Outcome | None:
        """What another machine has packed that works on the job, too; None if this one is to."""
        leases = self.workspace.leases
        if leases is None:
            return None
        while not leases.claim(PACK) and self.workspace.published is None:
            time.sleep(POLL_SECONDS)
        return self.workspace.published

    def _caption(self, painting: PaintStage) -> Captioned:
        if self.captioner is None:
            given = self.job.given_captions
            assert given is not None
            return Captioned(given.captions, given.unreadable, {})

        def announce(captions_left: float) -> None:
            deadline = painting.deadline
            if deadline is not None and not deadline.announced:
                deadline.plan(captions_left)

        digest = self.fingerprint.captioner_digest
        stage = CaptionStage(
            self.job, self.captioner, digest, self.workspace, self.reporter, self.cluster
        )
        return stage.run(announce)

    def _plan(self, captions: Mapping[str, str], photos: StartPhotos) -> list[Item]:
        tokenizer = self.painter.tokenizer
        warnings = WeightWarnings(self.painter.settings.weight, tokenizer.model_max_length)
        items = []
        digest = self.fingerprint.painter_digest
        for item, weighted in plan(self.job, captions, self.painter, digest, photos):
            warnings.add(item.request.prompt, weighted)
            items.append(item)
        if items:
            warnings.tell(self.reporter)
            texts = (item.request.prompt.text for item in items)
            self.painter.warn_about_embeddings(texts, self.reporter)
            self._say_hint(items)
            _warn_about_names(items, self.job.outputs.kind, self.reporter)
        return items

    def _say_hint(self, items: Sequence[Item]) -> None:
        """Say once if plain prompts look like another program's syntax."""
        paint = self.job.settings.paint
        texts = (paint.negative_prompt, *(item.request.prompt.text for item in items))
        hints = filter(None, map(hint, texts if paint.prompt_syntax == PLAIN else ()))
        if looks := next(hints, ""):
            self.reporter.say(looks)

    def _write_reports(
        self,
        items: Sequence[Item],
        saved: Mapping[str, SavedPainting],
        captioned: Captioned,
        outcome: Outcome,
    ) -> None:
        outputs, workspace = self.job.outputs, self.workspace
        table = report.table(items, saved, captioned, outcome.failed)
        write_bytes(workspace.packed(outputs.table), table)
        summary = report.summary(self.job, self.painter, self.captioner, self.fingerprint, outcome)
        write_bytes(workspace.packed(outputs.summary), summary)


def _warn_about_names(items: Sequence[Item], kind: str, reporter: Reporter) -> None:
    """Report photos whose paintings have other names, because some system rejects theirs."""
    changed = changed_names({item.photo: item.file for item in items})
    if changed:
        pairs = name_some(f"{photo} is {file}" for photo, file in changed.items())
        reporter.warn(f"names that not every system accepts are changed in the {kind}: {pairs}")


def none_readable(reasons: Mapping[str, str]) -> InputError:
    """The error of a job without a single caption, with the first reasons."""
    texts = (f"{photo}: {why}" for photo, why in reasons.items())
    return InputError(f"None of the photos can be read: {name_some(texts)}")


def _warn_about_unknown_photos(job: Job, captioned: Captioned, reporter: Reporter) -> None:
    """Warn about captions of no photo, unless photos were left out or have been removed."""
    known = {photo.key for photo in job.photos} | captioned.records.keys()
    unknown = [key for key in captioned.captions if key not in known]
    if unknown and job.settings.limit is None:
        reporter.warn(f"unused captions, for photos that are not here: {name_some(unknown)}")


def _warn_about_empty_captions(captioned: Captioned, reporter: Reporter) -> None:
    """Warn about photos for which the captioner found no words; given captions are not empty."""
    empty = [key for key, text in captioned.captions.items() if not text]
    if empty:
        photos = counted(len(empty), "photo")
        reporter.warn(
            f"the captioner has no words for {photos}, painted from the style alone: "
            f"{name_some(empty)}"
        )


def resume_command(job: Job) -> str:
    """What to type to continue a job, in words."""
    return "the same command" + (" without --overwrite" if job.overwrite else "")


def _what_is_kept(job: Job, workspace: Workspace) -> str:
    if not workspace.record.started:
        return "Nothing is finished yet: run the same command again."
    try:
        kept = _count(job, workspace)
    except MonetizeError:  # the failure may prevent reading this, too
        kept = "Finished captions and paintings"
    return f"{kept} are kept in {workspace.folder}; {resume_command(job)} continues from there."


def _count(job: Job, workspace: Workspace) -> str:
    paintings = f"{workspace.paintings.count()} of {len(job.photos)} paintings"
    if not job.needs_captioner:
        return paintings
    captions = workspace.captions() or {}
    made = sum(photo.key in captions for photo in job.photos)
    return f"{made} captions and {paintings}"
