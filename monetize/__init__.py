"""monetize: photos into Monet paintings by image → text → image."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monetize.captioning.captioner import Captioner
    from monetize.painting.painter import Painter

__all__ = ["Captioner", "Painter"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import a name when it is first used, because importing torch takes seconds."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from monetize.checkpoints.quiet import quiet_libraries

    with quiet_libraries():
        from monetize.captioning.captioner import Captioner
        from monetize.painting.painter import Painter
    return {"Captioner": Captioner, "Painter": Painter}[name]
