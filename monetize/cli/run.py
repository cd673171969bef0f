"""`monetize run`: a folder of photos into a contest zip."""

from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from monetize.cli.check import lines
from monetize.cli.options import (
    build,
    caption_options,
    common_options,
    device_options,
    paint_options,
    recursive_option,
)
from monetize.cli.parameter_types import DURATION
from monetize.cli.terminal import Terminal, load_libraries
from monetize.contest import rules
from monetize.contest.rules import CONTEST_COUNT
from monetize.errors import Interrupted, MonetizeError
from monetize.gallery.gallery import gallery_of, make_after
from monetize.job.job import prepare
from monetize.messages import counted, printable
from monetize.presets import TABLES
from monetize.settings import CaptionSettings, DeviceSettings, PaintSettings, RunSettings


@click.command()
@click.argument("photos", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--style",
    default=RunSettings.style,
    show_default=True,
    help="Phrase that is put behind each caption.",
)
@click.option(
    "--captions",
    "captions_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV with the columns photo (or image) and caption, to paint from in place of captioning.",
)
@click.option(
    "--seed",
    type=int,
    default=RunSettings.seed,
    show_default=True,
    help="Each photo's own seed is drawn from this number and its name.",
)
@click.option("--shared-seed", is_flag=True, help="Use --seed itself for every photo.")
@click.option("--limit", type=int, help="Take only the first photos, in order of name.")
@recursive_option
@click.option(
    "--output-size",
    type=int,
    default=RunSettings.output_size,
    show_default=True,
    help="Width and height of the JPEGs in the zip, in pixels.",
)
@click.option(
    "--jpeg-quality",
    type=int,
    default=RunSettings.jpeg_quality,
    show_default=True,
    help="1 to 100.",
)
@click.option(
    "--time-budget",
    type=DURATION,
    help="Be done in this time, such as 4h30m: after a measurement on this machine the paintings "
    "get as many steps as fit, at most --num-inference-steps.",
)
@click.option(
    "--allow-approximate",
    is_flag=True,
    help="Let --time-budget leave guidance out of the first and last steps, to fit more of them.",
)
@caption_options
@paint_options
@device_options
@click.option("--overwrite", is_flag=True, help="Start afresh, and replace OUT if it exists.")
@click.option("--keep-work", is_flag=True, help="Keep OUT.work when the job is done.")
@click.option(
    "--gallery/--no-gallery",
    "with_gallery",
    default=False,
    show_default=True,
    help="When the job is done make a page of photos and paintings beside OUT, as `monetize "
    "gallery` does; --time-budget does not count it.",
)
@common_options(*TABLES)
@click.pass_context
def run(
    ctx: click.Context,
    /,
    photos: Path,
    out: Path,
    captions_file: Path | None,
    overwrite: bool,
    keep_work: bool,
    with_gallery: bool,
    quiet: bool,
    verbose: bool,
    **params: Any,
) -> None:
    """Paint every photo of the folder PHOTOS into the zip OUT.

    Each photo is captioned, the caption and the style phrase are painted, and the paintings
    are packed as OUT, with a report beside it (.csv, a row a photo; .json, the settings). At the
    end OUT is held against the rules of the contest, as `monetize check` does it.

    Stop it at any moment, even by pulling the plug: the same command goes on from there. Until
    it is done its work stands in OUT.work; captions.csv in there may be edited before the
    paintings are made.

    \b
    Examples:
      monetize run photos/ images.zip
      monetize run photos/ images.zip --limit 20 --steps 20
      monetize run photos/ images.zip --config configs/report.toml
      monetize run photos/ images.zip --time-budget 4h30m --palette monet
      monetize run photos/ images.zip --captions edited.csv --gallery
      monetize run holidays/ paintings.zip --weight people=0 --style "by claude monet"
    """
    terminal = Terminal(quiet=quiet, verbose=verbose)
    settings = build(
        RunSettings,
        params,
        caption=build(CaptionSettings, params),
        paint=build(PaintSettings, params),
        device=build(DeviceSettings, params),
    )
    job = prepare(
        photos,
        out,
        settings,
        captions_file=captions_file,
        overwrite=overwrite,
        keep_work=keep_work,
    )
    gallery = gallery_of(job) if with_gallery else None
    others = f" (other files passed over: {job.others})" if job.others else ""
    outputs = job.outputs
    terminal.say(f"Photos: {len(job.photos)} in {photos}{others}")

    load_libraries(terminal)
    from monetize.job.run import again
    from monetize.job.run import run as run_job

    report = run_job(job, terminal)

    if report.unreadable:
        terminal.warn(f"{len(report.unreadable)} of {len(job.photos)} photos could not be read:")
        for photo, why in report.unreadable.items():
            terminal.warn(f"  {printable(photo)}: {why}")
        terminal.say(
            f"Mend them, move {out} away, and {again(job)} paints only what is lacking; "
            "it makes the zip and its reports anew."
        )
    if report.flagged:
        flagged = counted(report.flagged, "painting")
        terminal.warn(f"blacked out by the safety checker: {flagged}, listed in {outputs.table}")
    if not quiet:
        _check(out, terminal)
    size = tqdm.format_sizeof(report.archive_bytes, "B")
    terminal.say(f"Done: {counted(report.paintings, 'painting')}, {size}, in {out}")
    if gallery is not None:
        page, replace = gallery
        make_after(job, page, terminal, overwrite=replace)
    ctx.exit(report.exit_code)


def _check(out: Path, terminal: Terminal) -> None:
    """Show what the contest would say; the job is done, so nothing here is a failure of it."""
    try:
        checked = rules.check(out, terminal)
    except MonetizeError as error:
        terminal.warn(f"not checked: {error}")
        return
    except KeyboardInterrupt:
        raise Interrupted(
            f"Interrupted while checking. {out} is done; monetize check {out} checks it again."
        ) from None
    if checked.is_entry:
        terminal.say("As an entry to the contest:")
        for line in lines(checked):
            terminal.say(f"  {line}")
        return
    terminal.say(
        f"The contest wants {CONTEST_COUNT[0]:,} to {CONTEST_COUNT[-1]:,} pictures, so this is no "
        f"entry to it; monetize check {out} tells of its other rules."
    )
    dull, *_ = checked.notes
    if any(dull.data.values()):
        terminal.say(f"{dull.name.capitalize()}: {dull.detail}")
