"""The photos that paintings start from: opened when their batch is painted, and fitted to it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from PIL import Image

from monetize.errors import InputError, PhotoError, UsageError
from monetize.image_sizes import Pixels
from monetize.images.decoding import image_size, opened_photo
from monetize.images.fitting import fit
from monetize.images.reading import read_file
from monetize.messages import printable
from monetize.painting.request import PaintRequest
from monetize.stores.remote_path import AnyPath


def check_start(requests: Sequence[PaintRequest], strength: float | None) -> None:
    """Raise UsageError unless all requests have an init image, or none for a strength of None."""
    for request in requests:
        if request.init_image is None and strength is not None:
            raise UsageError(f"--strength {strength} needs a photo to start from: --init-image")
        if request.init_image is not None and strength is None:
            raise UsageError("--init-image needs --strength: how far to depart from it, up to 1")


def photo_size(photo: AnyPath) -> Pixels:
    """Return the size of an upright photo; raises InputError if it cannot be read."""
    try:
        return image_size(read_file(photo))
    except PhotoError as error:
        raise InputError(f"{printable(photo)}: {error}") from None


def open_init_images(
    requests: Sequence[PaintRequest], size: Pixels, how: str | None
) -> list[Image.Image]:
    """Open the photos of a batch in threads, fitted to the width and height of its paintings.

    Raises InputError naming a photo that cannot be read.
    """

    def open_one(request: PaintRequest) -> Image.Image:
        assert request.init_image is not None  # checked
        try:
            with opened_photo(request.init_image) as photo:
                return fit(photo, size, how)
        except PhotoError as error:
            raise InputError(f"{printable(request.init_image)}: {error}") from None

    with ThreadPoolExecutor() as threads:
        return list(threads.map(open_one, requests))
