"""Draw the result of a job on the bundled photos: each photo above its painting and caption.

    sh scripts/first_run.sh
    python scripts/make_sample_grid.py first-run/images.zip monetize/pocket/samples.png

256 colors look good enough, at a third of the bytes.
"""

import argparse
import csv
import io
import zipfile
from pathlib import Path

from PIL import Image

from monetize.chunks import chunks
from monetize.sheets.layout import Cell, sheet

PHOTOS = Path(__file__).parent.parent / "tests" / "photos"
SIDE, COLUMNS, TEXT_SIZE = 144, 6, 11


def draw(archive: Path) -> Image.Image:
    """A grid of six columns; OUT.csv next to the zip says which painting belongs to which photo."""
    with archive.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["status"] == "painted"]
    cells = []
    with zipfile.ZipFile(archive) as paintings:
        for row in rows:
            photo = Image.open(PHOTOS / row["photo"])
            painting = Image.open(io.BytesIO(paintings.read(row["file"])))
            both = Image.new("RGB", (SIDE, 2 * SIDE))
            for place, picture in enumerate((photo, painting)):
                small = picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
                both.paste(small, (0, place * SIDE))
            cells.append(Cell((both,), row["caption"]))
    return sheet(chunks(cells, COLUMNS), text_size=TEXT_SIZE)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("archive", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    draw(arguments.archive).quantize(256).save(arguments.output, optimize=True)
