"""`monetize caption`: what photos show, in words."""

from pathlib import Path
from typing import Any

import click

from monetize.cli.help import SectionedCommand
from monetize.cli.options.base import build
from monetize.cli.options.captions import caption_options
from monetize.cli.options.common import common_options
from monetize.cli.options.device import device_options
from monetize.cli.options.input import recursive_option
from monetize.cli.options.output import caption_output_options
from monetize.cli.path_types import PHOTO_OR_FOLDER
from monetize.cli.terminal import Terminal, load_libraries
from monetize.errors import UNREADABLE_EXIT_CODE
from monetize.settings import CaptionSettings, DeviceSettings
from monetize.stores.remote_path import AnyPath


@click.command(cls=SectionedCommand)
@click.argument(
    "paths",
    metavar="IMAGE_OR_FOLDER...",
    nargs=-1,
    required=True,
    type=PHOTO_OR_FOLDER,
)
@recursive_option
@caption_options
@device_options
@caption_output_options
@common_options("caption", "device")
@click.pass_context
def caption(
    ctx: click.Context,
    /,
    paths: tuple[AnyPath, ...],
    form: str | None,
    output: Path | None,
    heatmap: Path | None,
    overwrite: bool,
    recursive: bool,
    quiet: bool,
    verbose: bool,
    **params: Any,
) -> None:
    """Print what each photo shows.

    A single photo gives only its caption. Several give one line each: the photo's name, a tab, the
    caption. Photos in a folder are named as `monetize run --captions` expects them.

    \b
    Examples:
      monetize caption img.jpg
      monetize caption photos/ -o captions.csv
      monetize caption *.jpg --json
      monetize caption photos/ --sidecar
      monetize caption img.jpg --heatmap words.png
      monetize caption s3://bucket/photos -o captions.csv
    """
    from monetize.atomic_files import write_bytes
    from monetize.chunks import chunks
    from monetize.cli.caption_files import (
        find_photos,
        is_photo,
        output_form,
        plan_sheets,
        plan_sidecars,
        table,
    )
    from monetize.images.heic import heic_caution
    from monetize.messages import counted, printable

    terminal = Terminal(quiet=quiet, verbose=verbose)
    settings, device = build(CaptionSettings, params), build(DeviceSettings, params)
    form = output_form(form, output, overwrite=overwrite)
    photos = find_photos(paths, recursive)
    sidecars = plan_sidecars(form, photos, overwrite=overwrite)
    sheets = plan_sheets(heatmap, output, len(photos), overwrite=overwrite)
    alone = len(paths) == 1 and is_photo(paths[0])
    terminal.say(f"Photos: {len(photos)}")
    if caution := heic_caution(photos):
        terminal.warn(caution)

    load_libraries(terminal)
    from monetize.captioning.captioner import Captioner
    from monetize.captioning.spec import CaptionerSpec
    from monetize.cli.caption_sheets import captioned
    from monetize.job.run import none_readable

    spec = CaptionerSpec.resolve(settings, device, terminal)
    terminal.say(f"Captioner: {spec}")
    captions: dict[str, str] = {}
    reasons: dict[str, str] = {}
    with terminal.stage("Captioning", len(photos), "photo") as progress:
        progress.step("loading the model")
        captioner = Captioner.load(spec)
        batches = chunks(photos, settings.caption_batch_size)
        for chunk, made, unreadable in captioned(captioner, batches, sheets, overwrite=overwrite):
            captions.update(made)
            reasons.update(unreadable)
            if output is None and form is None:
                for key, text in made.items():
                    terminal.result(*([text] if alone else [key, text]))
            for key in made.keys() & sidecars.keys():
                write_bytes(sidecars[key], f"{made[key]}\n".encode(), overwrite=overwrite)
            progress.advance(len(chunk))
            if output is None and not sheets and terminal.lost_reader:
                break

    if not captions:
        raise none_readable(reasons)
    for key, why in reasons.items():
        terminal.warn(f"cannot read {printable(key)}: {why}")
    if output is not None:
        write_bytes(output, table(form, captions, reasons), overwrite=overwrite)
        terminal.say(f"Done: {counted(len(captions), 'caption')} in {output}")
    elif sidecars:
        where = "next to its photo" if len(captions) == 1 else "each next to its photo"
        terminal.say(f"Done: {counted(len(captions), 'caption')}, {where}")
    elif form is not None:
        terminal.data(table(form, captions, reasons))
    if sheets:
        more = f" to {sheets[-1]}, in the order of the photos" if len(sheets) > 1 else ""
        terminal.say(f"Heat maps: {sheets[0]}{more}")
    ctx.exit(UNREADABLE_EXIT_CODE if reasons else 0)
