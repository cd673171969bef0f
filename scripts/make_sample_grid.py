"""Draw what a job made of the bundled photos: each photo over its painting, with its caption.

    sh scripts/first_run.sh
    python scripts/make_sample_grid.py first-run/images.zip monetize/pocket/samples.png

256 colours are enough to see by, at a third of the bytes.
"""

import argparse
import csv
import io
import textwrap
import zipfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

PHOTOS = Path(__file__).parent.parent / "tests" / "photos"
SIDE, GAP, COLUMNS = 144, 6, 6
TEXT_HEIGHT, TEXT_SIZE, TEXT_WIDTH = 34, 11, 25  # pixels, pixels, characters a line
PAPER, INK = "white", "black"


def draw(archive: Path) -> Image.Image:
    """A grid of six columns; OUT.csv beside the zip tells which painting is whose."""
    with archive.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["status"] == "painted"]
    cell = (SIDE + GAP, 2 * SIDE + TEXT_HEIGHT + GAP)
    lines = -(-len(rows) // COLUMNS)
    grid = Image.new("RGB", (COLUMNS * cell[0] - GAP, lines * cell[1] - GAP), PAPER)
    pen = ImageDraw.Draw(grid)
    font = ImageFont.load_default(TEXT_SIZE)
    with zipfile.ZipFile(archive) as paintings:
        for i, row in enumerate(rows):
            left, top = i % COLUMNS * cell[0], i // COLUMNS * cell[1]
            photo = Image.open(PHOTOS / row["photo"])
            painting = Image.open(io.BytesIO(paintings.read(row["file"])))
            for place, picture in enumerate((photo, painting)):
                small = picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
                grid.paste(small, (left, top + place * SIDE))
            text = "\n".join(textwrap.wrap(row["caption"], TEXT_WIDTH)[:2])
            pen.text((left, top + 2 * SIDE + 2), text, INK, font)
    return grid


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("archive", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    draw(arguments.archive).quantize(256).save(arguments.output, optimize=True)
