"""`monetize run`: a folder of photos into a contest zip, or into a folder of paintings."""

from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monetize.cli.help import SectionedCommand
from monetize.cli.options.base import build
from monetize.cli.options.captions import caption_options
from monetize.cli.options.cluster import cluster_options
from monetize.cli.options.common import common_options
from monetize.cli.options.device import device_options
from monetize.cli.options.input import run_input_options
from monetize.cli.options.output import run_output_options
from monetize.cli.options.painting import painting_options, run_prompt_options, start_options
from monetize.cli.options.speed import batch_options, budget_options
from monetize.cli.options.weights import weight_options
from monetize.cli.path_types import OUTPUT_ZIP_OR_URL, PHOTOS
from monetize.cli.presets import CONFIG, bundled_presets, warn_unless_faster
from monetize.cli.terminal import Terminal, load_libraries
from monetize.errors import UNREADABLE_EXIT_CODE
from monetize.presets import TABLES
from monetize.settings import (
    CaptionSettings,
    DeviceSettings,
    ExecutorSettings,
    PaintSettings,
    RunSettings,
)
from monetize.stores.remote_path import AnyPath, RemotePath

if TYPE_CHECKING:
    from monetize.job.job import Job
    from monetize.job.outcome import Outcome


@click.command(cls=SectionedCommand)
@click.argument("photos", type=PHOTOS)
@click.argument("out", type=OUTPUT_ZIP_OR_URL, required=False)
@run_input_options
@caption_options
@run_prompt_options
@painting_options
@start_options
@weight_options
@budget_options
@batch_options
@device_options
@cluster_options
@run_output_options
@common_options(*TABLES)
@click.pass_context
def run(
    ctx: click.Context,
    /,
    photos: AnyPath,
    out: AnyPath | None,
    output_folder: Path | None,
    work_folder: Path | None,
    captions_file: Path | None,
    caption_missing: bool,
    overwrite: bool,
    update: bool,
    keep_work: bool,
    join: bool,
    since: float | None,
    with_gallery: bool,
    quiet: bool,
    verbose: bool,
    **params: Any,
) -> None:
    """Paint every photo of the folder PHOTOS into the zip OUT.

    Each photo is captioned, the caption plus the style phrase is painted, and the paintings are
    packed into OUT, with two reports next to it (.csv, a row per photo; .json, the settings). At
    the end OUT is checked against the rules of the contest, as `monetize check` does.

    With --output-folder in place of OUT, the paintings are files in a folder, and the reports are
    monetize.csv and monetize.json in it.

    Paintings follow the captions alone; with --strength they start from the photos themselves and
    keep their composition.

    You can stop it at any time, even by pulling the plug: the same command continues from there.
    Unfinished work is kept in OUT.work; you may edit captions.csv in that folder before the
    paintings are made. Photos may be added, removed or replaced: every painting that still fits
    is kept, and with --update so are those in a finished OUT.

    PHOTOS and OUT may also be in an object store: s3://bucket/... or gs://bucket/...; PHOTOS may
    be at any other URL that fsspec reads. If OUT is in a store, OUT.work is in the current folder.

    \b
    Examples:
      monetize run photos/ images.zip
      monetize run photos/ few.zip --limit 20 --steps 20
      monetize run photos/ report.zip --config report
      monetize run photos/ colors.zip --time-budget 4h30m --palette monet
      monetize run photos/ edited.zip --captions edited.csv --gallery
      monetize run holidays/ paintings.zip --strength 0.5
      monetize run holidays/ --output-folder paintings/ --strength 0.5 --output-size fit
      monetize run photos/ images.zip --update
      monetize run holidays/ nobody.zip --weight people=0 --style "by claude monet"
      monetize run s3://bucket/photos s3://bucket/images.zip
    """
    from monetize.cli.run_outputs import check_gallery, check_shared, choose_outputs
    from monetize.gallery.job_gallery import JobGallery, say_outdated
    from monetize.job.job import prepare

    terminal = Terminal(quiet=quiet, verbose=verbose)
    outputs = choose_outputs(out, output_folder, work_folder)
    if params["metadata"] is None:
        params["metadata"] = outputs.is_folder
    settings = build(
        RunSettings,
        params,
        caption=build(CaptionSettings, params),
        paint=build(PaintSettings, params),
        device=build(DeviceSettings, params),
        executor=build(ExecutorSettings, params),
    )
    if with_gallery:
        check_gallery(outputs, join=join)
    if join:
        check_shared(outputs, work_folder)
        if not outputs.workspace.record.started and outputs.destination.exists(outputs.last):
            terminal.say(f"{outputs.name} is done already; delete it to have it made again")
            ctx.exit(0)
    if with_gallery and not (overwrite or update):
        unfinished = JobGallery.unfinished(photos, captions_file, outputs, settings)
        if unfinished is not None:
            terminal.say(f"{outputs.out} is done; its gallery was interrupted and is built now")
            results = unfinished.build(terminal)
            ctx.exit(UNREADABLE_EXIT_CODE if results.unreadable else 0)
    if isinstance(photos, RemotePath):
        terminal.say(f"Looking for photos in {photos} ...")
    job = prepare(
        photos,
        outputs,
        settings,
        captions_file=captions_file,
        caption_missing=caption_missing,
        overwrite=overwrite,
        update=update,
        keep_work=keep_work,
        join=join,
        since=since,
    )
    gallery = JobGallery.plan(job) if with_gallery else None
    passed_over = f" (passed over: {job.passed_over})" if job.passed_over else ""
    terminal.say(f"Photos: {len(job.photos)} in {photos}{passed_over}")
    if outputs.store:
        folder = outputs.workspace.folder
        terminal.say(
            f"Unfinished work is in {folder}; if the job stops, the same command continues it"
        )

    load_libraries(terminal)
    if settings.executor.executor == "local":
        warn_unless_faster(settings.paint, settings.device, terminal)
    from monetize.job.run import run as run_job

    for_contest = _is_for_contest(ctx, outputs.out)
    check = partial(_check, name=outputs.name, terminal=terminal, for_contest=for_contest)
    checks = not quiet and not outputs.is_folder
    packed: list[Path] = []

    def check_packed(path: Path) -> None:
        packed.append(path)
        check(path)

    outcome = run_job(job, terminal, check_packed if checks and outputs.store else None)

    with gallery.pending() if gallery else nullcontext():
        _report_problems(job, outcome, terminal)
        if checks and not outputs.store:
            check(outputs.out)
        elif checks and not packed:
            terminal.say(f"Not checked here: download {outputs.name} and run monetize check")
        _say_done(job, outcome, terminal)
        if gallery:
            gallery.build(terminal)
        elif not outputs.store:
            say_outdated(outputs, terminal, update=update)
    ctx.exit(outcome.exit_code)


def _report_problems(job: "Job", outcome: "Outcome", terminal: Terminal) -> None:
    from monetize.messages import counted, printable

    table = job.outputs.destination.locate(job.outputs.table)
    if outcome.unreadable:
        terminal.warn(f"{len(outcome.unreadable)} of {len(job.photos)} photos could not be read:")
        for photo, why in outcome.unreadable.items():
            terminal.warn(f"  {printable(photo)}: {why}")
        terminal.say(
            "Fix them, and run the same command with --update: it paints only the missing photos "
            f"and replaces the {job.outputs.kind} and its reports."
        )
    if outcome.failed:
        terminal.warn(f"{len(outcome.failed)} of {len(job.photos)} photos could not be painted:")
        for photo, why in outcome.failed.items():
            terminal.warn(f"  {printable(photo)}: {why}")
        terminal.say("The same command with --update tries them again, and nothing else.")
    if outcome.flagged:
        flagged = counted(outcome.flagged, "painting")
        terminal.warn(f"blacked out by the safety checker: {flagged}, listed in {table}")


def _say_done(job: "Job", outcome: "Outcome", terminal: Terminal) -> None:
    from tqdm import tqdm

    from monetize.messages import counted

    size = tqdm.format_sizeof(outcome.output_bytes, "B")
    paintings = counted(outcome.paintings, "painting")
    terminal.say(f"Done: {paintings}, {size}, in {job.outputs.name}")


def _is_for_contest(ctx: click.Context, out: Path) -> bool:
    """Whether the zip has the contest's name or its preset."""
    return out.name == "images.zip" or ctx.meta.get(CONFIG) == bundled_presets().get("contest")


def _check(out: Path, name: AnyPath, terminal: Terminal, *, for_contest: bool) -> None:
    """Show what the contest would say; nothing that is found here makes the job fail.

    A zip for a store is checked before the upload, under its temporary name `out`.
    """
    from monetize.cli.check import lines
    from monetize.contest import rules
    from monetize.contest.rules import CONTEST_COUNT
    from monetize.errors import Interrupted, MonetizeError

    try:
        checked = rules.check(out, terminal)
    except MonetizeError as error:
        terminal.warn(f"not checked: {str(error).replace(str(out), str(name))}")
        return
    except KeyboardInterrupt:
        if out != name:
            raise
        raise Interrupted(
            f"Interrupted while checking. {out} is done; monetize check {out} checks it again."
        ) from None
    if checked.is_entry:
        terminal.say("As an entry to the contest:")
        for line in lines(checked):
            terminal.say(f"  {line}")
        return
    if for_contest:
        advice = "download it and run monetize check for the other rules"
        if out == name:
            advice = f"monetize check {name} shows the other rules"
        terminal.say(
            f"The contest requires {CONTEST_COUNT[0]:,} to {CONTEST_COUNT[-1]:,} images, so this "
            f"is not an entry yet; {advice}."
        )
    dull, *_ = checked.notes
    if any(dull.data.values()):
        terminal.say(f"{dull.name.capitalize()}: {dull.detail}")
