"""monetize: photos into Monet paintings by image → text → image."""

__version__ = "0.1.0"
