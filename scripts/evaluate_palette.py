"""Measure the effect of --palette on paintings, on halves of them and quarters of the references.

    python scripts/evaluate_palette.py --paintings DATA/paintings --references DATA/monet

Two quarters of the references supply the colors; each half of the paintings is scored against
another quarter, so that no reference both supplies colors and is compared with. The first half is
for making choices, the second for judging them.
"""

from collections.abc import Iterable
from pathlib import Path

import click
import numpy as np
from PIL import Image

from monetize.devices import place
from monetize.images.color_transfer import ColorStatistics, Palette
from monetize.images.image_sets import ImageSet
from monetize.scoring.inception import Inception
from monetize.scoring.metrics import Floats, frechet_distance, squared_mmd
from monetize.settings import DeviceSettings

FOLDER = click.Path(exists=True, path_type=Path)
SIDE = 256


@click.command(help=__doc__)
@click.option("--paintings", type=FOLDER, required=True)
@click.option("--references", type=FOLDER, required=True)
@click.option("--inception", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--strength", "strengths", type=float, multiple=True, default=(0.5, 1.0))
@click.option("--seed", default=0, show_default=True)
def main(
    paintings: Path,
    references: Path,
    inception: Path | None,
    strengths: tuple[float, ...],
    seed: int,
) -> None:
    """Print a table."""
    network = Inception.load(inception, place(DeviceSettings()).device)
    random = np.random.default_rng(seed)
    ours = _parts(paintings, 2, random)
    *lending, first, second = _parts(references, 4, random)
    theirs = [_features(network, part) for part in (first, second)]
    colors = [ColorStatistics.of(image) for part in lending for image in part]
    click.echo(f"{'KID x 1000, FID':14}{'first half':>26}{'second half':>26}")
    for strength in (0.0, *strengths):
        palette = Palette(colors, strength)
        row = f"strength {strength:<5g}"
        for part, reference in zip(ours, theirs, strict=True):
            moved = (palette.apply(image, i) for i, image in enumerate(part))
            features = _features(network, moved)
            kid, fid = squared_mmd(features, reference), frechet_distance(features, reference)
            row += f"{1000 * kid:17.1f}{fid:9.1f}"
        click.echo(row)


def _parts(source: Path, number: int, random: np.random.Generator) -> list[list[Image.Image]]:
    """A folder's pictures in random parts of equal size, each picture at the contest's size."""
    images = [
        image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        for image in ImageSet.of(source).images()
    ]
    order = random.permutation(len(images))
    return [[images[i] for i in part] for part in np.array_split(order, number)]


def _features(network: Inception, images: Iterable[Image.Image]) -> Floats:
    return np.concatenate(list(network.features(images)))


if __name__ == "__main__":
    main()
