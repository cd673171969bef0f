"""The photo of `monetize paint --init-image`, checked before any work."""

from pathlib import Path
from typing import TYPE_CHECKING

from monetize.cli.terminal import Terminal
from monetize.errors import InputError, PhotoError, UsageError
from monetize.image_sizes import FIT, Pixels
from monetize.messages import printable
from monetize.settings import PaintSettings

if TYPE_CHECKING:
    from monetize.images.repaint import Repaint


def check_init_image(photo: Path | None, settings: PaintSettings) -> Pixels | None:
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


def check_like(like: "Repaint", photo: Path | None, terminal: Terminal) -> None:
    """Warn about what --like cannot repeat; raises UsageError if it needs a photo to start from."""
    if like.left_out:
        terminal.warn(f"--like cannot repeat: {printable('; '.join(like.left_out))}")
    if like.init_image and photo is None:
        raise UsageError(
            f"--like: that painting started from the photo {printable(like.init_image)}: give it "
            "with --init-image"
        )
