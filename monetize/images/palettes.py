"""Load a palette: from given paintings, or from the bundled table of Monets.

The table has one row per painting: mean and covariance of its RGB values, as in `ColorStatistics`.
"""

import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monetize.csv_tables import to_csv
from monetize.images.color_transfer import ColorStatistics, Palette
from monetize.images.image_notes import ImageNotes
from monetize.images.image_sets import ImageSet
from monetize.messages import counted
from monetize.progress import Reporter
from monetize.settings import MONET

MONET_TABLE = Path(__file__).with_name("monet_palette.csv")
COLUMNS = ("red", "green", "blue", "rr", "rg", "rb", "gg", "gb", "bb")
DIGEST_LENGTH = 12  # hexadecimal digits, enough to tell palettes apart
UPPER = np.triu_indices(3)  # of the symmetric covariance


@dataclass(frozen=True)
class PaletteSource:
    """The paintings of a folder or a zip, or None for the bundled Monets."""

    paintings: ImageSet | None

    @classmethod
    def of(cls, name: str) -> "PaletteSource":
        """Resolve the value of `--palette`; raises InputError if there are no images."""
        return cls(None if name == MONET else ImageSet.of(Path(name)))

    def identity(self) -> str:
        """Return a short text that depends only on the palette's content."""
        if self.paintings is None:
            digest = hashlib.sha256(MONET_TABLE.read_bytes()).hexdigest()
            return f"{MONET} {digest[:DIGEST_LENGTH]}"
        digest = self.paintings.digest()
        return f"{counted(len(self.paintings), 'painting')} {digest[:DIGEST_LENGTH]}"

    def load(self, strength: float, reporter: Reporter) -> Palette:
        """Read the table or measure the paintings; raises InputError for an unreadable one."""
        if self.paintings is not None:
            return Palette(measure(self.paintings, reporter), strength)
        references = read_table(MONET_TABLE.read_text("utf-8"))
        reporter.say(f"Palette: the bundled colors of {len(references)} Monets")
        return Palette(references, strength)


def measure(paintings: ImageSet, reporter: Reporter) -> list[ColorStatistics]:
    """Measure each painting's colors; raises InputError for an unreadable one."""
    paintings.tell(reporter)
    statistics, notes = [], ImageNotes()
    with reporter.stage("Palette", len(paintings), "painting") as progress:
        for each in paintings.map(ColorStatistics.of, notes):
            statistics.append(each)
            progress.advance()
    notes.warn(reporter)
    return statistics


def write_table(statistics: Iterable[ColorStatistics]) -> bytes:
    """Write color statistics as CSV with two decimals."""
    rows = [[*each.mean, *each.covariance[UPPER]] for each in statistics]
    return to_csv(COLUMNS, [[f"{value:.2f}" for value in row] for row in rows])


def read_table(text: str) -> list[ColorStatistics]:
    """Read what `write_table` wrote."""
    statistics = []
    for row in csv.DictReader(io.StringIO(text)):
        values = np.array([float(row[name]) for name in COLUMNS])
        covariance = np.empty((3, 3))
        covariance[UPPER] = covariance.T[UPPER] = values[3:]
        statistics.append(ColorStatistics(values[:3], covariance))
    return statistics
