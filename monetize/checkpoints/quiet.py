"""Keep the model libraries quiet while they are imported and load models."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

VERBOSITY = ("TRANSFORMERS_VERBOSITY", "DIFFUSERS_VERBOSITY")


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Show only errors of transformers and diffusers, and no progress bars, inside the block.

    A verbosity that is set in the environment is respected. Everything is restored afterwards.
    """
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    loggings = (transformers_logging, diffusers_logging)
    levels = [logging.get_verbosity() for logging in loggings]
    bars = [logging.is_progress_bar_enabled() for logging in loggings]
    try:
        for logging, variable in zip(loggings, VERBOSITY, strict=True):
            if variable not in os.environ:
                logging.set_verbosity_error()
            logging.disable_progress_bar()
        yield
    finally:
        for logging, level, bar in zip(loggings, levels, bars, strict=True):
            logging.set_verbosity(level)
            if bar:
                logging.enable_progress_bar()
