"""`monetize gallery`: the paintings of a job as a page to browse."""

from pathlib import Path

import click

from monetize.cli.help import SectionedCommand, option_in
from monetize.cli.options.common import verbosity_options
from monetize.cli.options.output import gallery_output_options
from monetize.cli.path_types import FILE_OR_FOLDER, PHOTOS
from monetize.cli.terminal import Terminal
from monetize.errors import UsageError
from monetize.stores.remote_path import AnyPath


@click.command(cls=SectionedCommand)
@click.argument("out", type=FILE_OR_FOLDER)
@option_in("Input")(
    "--photos",
    type=PHOTOS,
    help="Folder of the photos, if it has moved since the job.",
)
@gallery_output_options
@verbosity_options
def gallery(
    out: Path,
    photos: AnyPath | None,
    output: Path | None,
    overwrite: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Build a page of the paintings in OUT, a zip or folder that `monetize run` wrote.

    The page shows each painting with its photo, caption and seed. You can search the captions,
    and compare photo and painting with a slider. It opens in any browser straight from the disk;
    it needs only the folder next to it. Captions and seeds come from the reports next to the zip,
    or in the folder (.csv, .json). Photos are shown whole.

    \b
    Examples:
      monetize gallery images.zip
      monetize gallery images.zip --photos holidays/ -o show.html
      monetize gallery images.zip --overwrite
      monetize gallery paintings/
    """
    from monetize.gallery.files import GalleryFiles
    from monetize.gallery.gallery import build
    from monetize.job.outputs import Outputs
    from monetize.job.report_reader import read_results

    outputs = Outputs.of(out)
    if outputs.is_folder and not outputs.summary.exists():
        raise UsageError(
            f"{out} is a folder without a {outputs.summary.name}: give a zip, or a folder that "
            "monetize run wrote"
        )
    build(
        read_results(outputs),
        GalleryFiles.of(outputs, output),
        Terminal(quiet=quiet, verbose=verbose),
        photos=photos,
        overwrite=overwrite,
    )
