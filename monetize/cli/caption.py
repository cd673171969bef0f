"""`monetize caption`: what photos show, in words."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monetize.atomic_files import write_bytes
from monetize.chunks import chunks
from monetize.cli.options import (
    build,
    caption_options,
    common_options,
    device_options,
    recursive_option,
)
from monetize.cli.terminal import Terminal, load_libraries
from monetize.csv_tables import to_csv
from monetize.errors import UNREADABLE_EXIT_CODE, UsageError
from monetize.images.encoding import encode
from monetize.images.output_paths import check_outputs, numbered
from monetize.images.photos import Photo, find, open_photo, require_some
from monetize.messages import counted, printable
from monetize.settings import CaptionSettings, DeviceSettings

if TYPE_CHECKING:  # it imports torch
    from monetize.captioning.captioner import Captioner, Look


@click.command()
@click.argument(
    "paths",
    metavar="IMAGE_OR_FOLDER...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
)
@click.option("--csv", "form", flag_value="csv", help="Write the columns photo and caption.")
@click.option("--json", "form", flag_value="json", help="Write a list of objects.")
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write: .csv, .json, or else text with a tab between photo and caption.",
)
@click.option(
    "--heatmap",
    type=click.Path(dir_okay=False, path_type=Path),
    help="PNG or JPEG for a sheet that shows where each word of the caption looked, laid over the "
    "photo. Several photos have numbered sheets.",
)
@click.option("--overwrite", is_flag=True, help="Replace the output files if they exist.")
@recursive_option
@caption_options
@device_options
@common_options("caption", "device")
@click.pass_context
def caption(
    ctx: click.Context,
    /,
    paths: tuple[Path, ...],
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

    One photo gives its caption alone, several give a line each with the photo's name and a tab
    before it. A folder's photos are named as `monetize run --captions` wants them.

    \b
    Examples:
      monetize caption img.jpg
      monetize caption photos/ -o captions.csv
      monetize caption *.jpg --json
      monetize caption img.jpg --heatmap where.png
    """
    terminal = Terminal(quiet=quiet, verbose=verbose)
    settings, device = build(CaptionSettings, params), build(DeviceSettings, params)
    if output and output.exists() and not overwrite:
        raise UsageError(f"--output {output} exists; --overwrite replaces it")
    by_ending = output.suffix.lower()[1:] if output else None
    if by_ending in ("csv", "json"):
        if form not in (None, by_ending):
            raise UsageError(f"--output {output} and --{form} name different forms: keep one")
        form = by_ending
    photos = _photos(paths, recursive)
    sheets = _sheets(heatmap, output, len(photos), overwrite=overwrite)
    alone = len(paths) == 1 and not paths[0].is_dir()
    terminal.say(f"Photos: {len(photos)}")

    load_libraries(terminal)
    from monetize.job.caption_stage import CaptionStage, none_readable

    stage = CaptionStage(settings, device, terminal)
    terminal.say(f"Captioner: {stage}")
    captions: dict[str, str] = {}
    reasons: dict[str, str] = {}
    with terminal.stage("Captioning", len(photos), "photo") as progress:
        progress.step("loading the model")
        captioner = stage.load()
        batches = chunks(photos, settings.caption_batch_size)
        for chunk, made, unreadable in _captioned(captioner, batches, sheets):
            captions.update(made)
            reasons.update(unreadable)
            if output is None and form is None:
                for key, text in made.items():
                    terminal.result(text if alone else f"{printable(key)}\t{text}")
            progress.advance(len(chunk))

    if not captions:
        raise none_readable(reasons)
    if output is not None:
        write_bytes(output, _table(form, captions, reasons))
        terminal.say(f"Done: {counted(len(captions), 'caption')} in {output}")
    elif form is not None:
        click.echo(_table(form, captions, reasons), nl=False)
    if sheets:
        more = f" to {sheets[-1]}, in the order of the photos" if len(sheets) > 1 else ""
        terminal.say(f"Heat maps: {sheets[0]}{more}")
    for key, why in reasons.items():
        terminal.warn(f"cannot read {printable(key)}: {why}")
    ctx.exit(UNREADABLE_EXIT_CODE if reasons else 0)


def _sheets(
    heatmap: Path | None, output: Path | None, count: int, *, overwrite: bool
) -> list[Path]:
    """The files of the heat maps, none where they are not asked for."""
    if heatmap is None:
        return []
    paths = numbered(heatmap, count)
    check_outputs(paths, "--heatmap", overwrite=overwrite)
    if output and output.resolve() in [path.resolve() for path in paths]:
        raise UsageError(f"--output and --heatmap would both write {output}: rename one")
    return paths


def _captioned(
    captioner: "Captioner", batches: Iterable[Sequence[Photo]], sheets: Sequence[Path]
) -> Iterator[tuple[Sequence[Photo], dict[str, str], dict[str, str]]]:
    """Each batch with its captions and what could not be read; draws the sheets, if any."""
    from monetize.captioning.read_ahead import of_readable

    if not sheets:
        yield from of_readable(captioner, batches, captioner.caption)
        return
    to_draw = iter(sheets)
    for chunk, looks, unreadable in of_readable(captioner, batches, captioner.look):
        _draw(chunk, looks, to_draw)
        yield chunk, {key: look.caption for key, look in looks.items()}, unreadable


def _draw(chunk: Sequence[Photo], looks: Mapping[str, "Look"], sheets: Iterator[Path]) -> None:
    """Write the sheets of a batch; the number of a photo that cannot be read stays free."""
    from monetize.sheets.caption_heatmap import draw

    for photo, path in zip(chunk, sheets, strict=False):
        if photo.key in looks:
            look = looks[photo.key]
            drawn = draw(open_photo(photo.path), photo.path.name, look)
            write_bytes(path, encode(drawn, path, look.caption, "--heatmap"))


def _photos(paths: Sequence[Path], recursive: bool) -> list[Photo]:
    photos = []
    for path in paths:
        if not path.is_dir():
            photos.append(Photo(str(path), path))
            continue
        found = find(path, recursive=recursive)
        require_some(found, path, recursive)
        prefix = f"{path.as_posix()}/" if len(paths) > 1 else ""
        photos += [Photo(prefix + photo.key, photo.path) for photo in found.photos]
    return photos


def _table(form: str | None, captions: dict[str, str], reasons: dict[str, str]) -> bytes:
    if form == "json":
        rows = [{"photo": key, "caption": text} for key, text in captions.items()]
        rows += [{"photo": key, "error": why} for key, why in reasons.items()]
        return json.dumps(rows, indent=2).encode() + b"\n"
    if form == "csv":
        return to_csv(("photo", "caption"), captions.items())
    return "".join(f"{printable(key)}\t{text}\n" for key, text in captions.items()).encode()
