"""Where a palette comes from: paintings that are measured, or the table of Monets that comes along.

The table has a row a painting: mean and covariance of its RGB values, as `Colours` has them.
"""

import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monetize.csv_tables import to_csv
from monetize.images.color_transfer import Colours, Palette
from monetize.images.image_sets import PictureSet
from monetize.messages import counted
from monetize.progress import Reporter
from monetize.settings import MONET

MONET_TABLE = Path(__file__).with_name("monet_palette.csv")
COLUMNS = ("red", "green", "blue", "rr", "rg", "rb", "gg", "gb", "bb")
DIGITS = 12  # of a hash, enough to tell palettes apart
UPPER = np.triu_indices(3)  # of the covariance, which is symmetric


@dataclass(frozen=True)
class PaletteSource:
    """`monet`, or the paintings of a folder or a zip."""

    paintings: PictureSet | None

    @classmethod
    def of(cls, name: str) -> "PaletteSource":
        """What `--palette` names; raises InputError for a folder or zip without pictures."""
        return cls(None if name == MONET else PictureSet.of(Path(name)))

    def identity(self) -> str:
        """What tells this palette from others, wherever it lies."""
        if self.paintings is None:
            return f"{MONET} {hashlib.sha256(MONET_TABLE.read_bytes()).hexdigest()[:DIGITS]}"
        return f"{counted(len(self.paintings), 'painting')} {self.paintings.digest()[:DIGITS]}"

    def load(self, strength: float, reporter: Reporter) -> Palette:
        """Read the table, or measure all paintings; InputError for one that cannot be read."""
        if self.paintings is not None:
            return Palette(measure(self.paintings, reporter), strength)
        colours = read_table(MONET_TABLE.read_text("utf-8"))
        reporter.say(f"Palette: the colours of {len(colours)} Monets, which come along")
        return Palette(colours, strength)


def measure(paintings: PictureSet, reporter: Reporter) -> list[Colours]:
    """The colours of each painting; raises InputError for one that cannot be read."""
    colours = []
    with reporter.stage("Palette", len(paintings), "painting") as progress:
        for image in paintings.images():
            colours.append(Colours.of(image))
            progress.advance()
    return colours


def write_table(colours: Iterable[Colours]) -> bytes:
    """Colours as CSV, to a hundredth of a grey level."""
    rows = [[*each.mean, *each.covariance[UPPER]] for each in colours]
    return to_csv(COLUMNS, [[f"{value:.2f}" for value in row] for row in rows])


def read_table(text: str) -> list[Colours]:
    """What `write_table` wrote."""
    colours = []
    for row in csv.DictReader(io.StringIO(text)):
        values = np.array([float(row[name]) for name in COLUMNS])
        covariance = np.empty((3, 3))
        covariance[UPPER] = covariance.T[UPPER] = values[3:]
        colours.append(Colours(values[:3], covariance))
    return colours
