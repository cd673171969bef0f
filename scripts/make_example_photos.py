"""Rebuild the bundled photos of tests/photos from the sample pictures of three packages.

    pip install scikit-learn==1.9.1 scikit-image==0.26.0
    apt-get download lomiri-wallpapers-16.04=20.04.0-2
    dpkg -x lomiri-wallpapers-16.04_*.deb wallpapers
    python scripts/make_example_photos.py wallpapers/usr/share/backgrounds

Sources and licenses are listed in tests/photos/README.md.
"""

import argparse
from pathlib import Path

import skimage.data
import sklearn.datasets
from PIL import Image, ImageOps

FOLDER = Path(__file__).parent.parent / "tests" / "photos"
SIZE = (256, 256)
WALLPAPERS = {
    "beach": "Bridge_by_Sander_Klootwijk",
    "brushes": "Picture_1A_by_freespace",
    "dandelions": "seeding_by_Clements_Engelhardt",
    "meadow": "aitzgorri_by_Aitzol_Berasategi",
    "mountains": "picosdeeuropa_by_Aitzol_Berasategi",
    "stream": "life_by_Aitzol_Berasategi",
    "sunset": "sunset_by_Aitzol_Berasategi",
}


def main(wallpapers: Path) -> None:
    """Crop each picture to the contest's square size and write it as JPEG."""
    pictures = {
        "temple": Image.fromarray(sklearn.datasets.load_sample_image("china.jpg")),
        "flower": Image.fromarray(sklearn.datasets.load_sample_image("flower.jpg")),
        "coffee": Image.fromarray(skimage.data.coffee()),
        "rocket": Image.fromarray(skimage.data.rocket()),
        "cat": Image.fromarray(skimage.data.chelsea()),
        **{name: Image.open(wallpapers / f"{file}.jpg") for name, file in WALLPAPERS.items()},
    }
    for name, picture in pictures.items():
        photo = ImageOps.fit(picture.convert("RGB"), SIZE, Image.Resampling.LANCZOS)
        photo.save(FOLDER / f"{name}.jpg", quality=90)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("wallpapers", type=Path)
    main(parser.parse_args().wallpapers)
