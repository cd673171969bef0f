"""Rebuild the bundled photos of tests/photos from the sample pictures of two packages.

    pip install scikit-learn==1.9.1 scikit-image==0.26.0
    python scripts/make_example_photos.py

Sources and licences stand in tests/photos/README.md.
"""

from pathlib import Path

import skimage.data
import sklearn.datasets
from PIL import Image, ImageOps

FOLDER = Path(__file__).parent.parent / "tests" / "photos"
SIZE = (256, 256)


def main() -> None:
    """Crop each picture to the contest's square size and write it as JPEG."""
    pictures = {
        "temple": sklearn.datasets.load_sample_image("china.jpg"),
        "flower": sklearn.datasets.load_sample_image("flower.jpg"),
        "coffee": skimage.data.coffee(),
        "rocket": skimage.data.rocket(),
        "cat": skimage.data.chelsea(),
    }
    for name, pixels in pictures.items():
        photo = ImageOps.fit(Image.fromarray(pixels), SIZE, Image.Resampling.LANCZOS)
        photo.save(FOLDER / f"{name}.jpg", quality=90)


if __name__ == "__main__":
    main()
