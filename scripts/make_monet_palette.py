"""Measure the colors of Monets for `--palette monet`.

    python scripts/make_monet_palette.py DATA/monet

writes monetize/images/monet_palette.csv, so that the paintings themselves are not needed. It was
made from 880 of the 1,193 paintings, 256 × 256, of the monet2photo set (Zhu et al., ICCV 2017).
"""

from pathlib import Path

import click

from monetize.cli.terminal import Terminal
from monetize.images.image_sets import ImageSet
from monetize.images.palettes import MONET_TABLE, measure, write_table


@click.command(help=__doc__)
@click.argument("paintings", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=MONET_TABLE,
    help="Where to write.  [default: the package's own file]",
)
def main(paintings: Path, output: Path) -> None:
    """Measure the paintings and write the table."""
    colors = measure(ImageSet.of(paintings), Terminal())
    output.write_bytes(write_table(colors))
    click.echo(f"{len(colors)} paintings: {output}")


if __name__ == "__main__":
    main()
