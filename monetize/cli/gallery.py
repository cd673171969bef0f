"""`monetize gallery`: a contest zip as a page to look through."""

from pathlib import Path

import click

from monetize.cli.options import output_options
from monetize.cli.terminal import Terminal
from monetize.gallery.gallery import Gallery, make
from monetize.job.job import Outputs
from monetize.job.report_reader import read_results


@click.command()
@click.argument("out", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--photos",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the photos, where it is no longer the one that the job was given.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    help="Page to write, an .html file; a folder for its pictures is made beside it.  "
    "[default: OUT.html]",
)
@click.option("--overwrite", is_flag=True, help="Replace the gallery if it exists.")
@output_options
def gallery(
    out: Path, photos: Path | None, output: Path | None, overwrite: bool, quiet: bool, verbose: bool
) -> None:
    """Make a page of the paintings in OUT, a zip that `monetize run` made.

    The page shows each painting with its photo, caption and seed, searches the captions, and
    lays the photo over the painting with a slider. It opens in any browser, straight from the
    disk, and needs the folder beside it and nothing else. Captions and seeds come from the
    report beside OUT (.csv, .json). Photos are cut to the shape of their paintings.

    \b
    Examples:
      monetize gallery images.zip
      monetize gallery images.zip --photos holidays/ -o show.html
      monetize gallery images.zip --overwrite
    """
    outputs = Outputs(out)
    make(
        read_results(outputs),
        Gallery(output or outputs.page),
        Terminal(quiet=quiet, verbose=verbose),
        photos=photos,
        overwrite=overwrite,
    )
