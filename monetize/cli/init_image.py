"""The photo of `monetize paint --init-image`, checked before any work."""

from monetize.errors import InputError, PhotoError, UsageError
from monetize.image_sizes import FIT, Pixels
from monetize.settings import PaintSettings
from monetize.stores.remote_path import AnyPath


def check_init_image(photo: AnyPath | None, settings: PaintSettings) -> Pixels | None:
    """Return the photo's width and height; None without a photo.

    Raises UsageError for one flag without the other, InputError for an unreadable photo.
    """
    strength = settings.strength
    if photo is None:
        if settings.size == FIT:
            raise UsageError("--size fit needs --init-image: the photo whose shape it takes")
        if strength is not None:
            raise UsageError(
                f"--strength {strength} needs --init-image: the photo that the painting starts from"
            )
        return None
    if strength is None:
        raise UsageError(
            "--init-image needs --strength: near 0 the painting is almost the photo, at 1 little "
            "of it is left; 0.5 keeps its composition"
        )
    from monetize.images.decoding import opened_photo

    try:
        with opened_photo(photo) as image:
            return image.size
    except PhotoError as error:
        raise InputError(f"--init-image {photo}: {error}") from None
