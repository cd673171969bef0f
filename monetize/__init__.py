"""monetize: photos into Monet paintings by image → text → image."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monetize.captioning.captioner import Captioner
    from monetize.painting.painter import Painter

__all__ = ["Captioner", "Painter"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import what is offered here when it is first used, as it takes torch and seconds."""
    if name == "Captioner":
        from monetize.captioning.captioner import Captioner

        return Captioner
    if name == "Painter":
        from monetize.painting.painter import Painter

        return Painter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
