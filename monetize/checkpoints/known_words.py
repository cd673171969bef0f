"""The words that a painter was trained on, where its checkpoint lists them; no torch."""

import re
from collections.abc import Iterable

from monetize.checkpoints.resolve import Checkpoint

FILE = "known_words.txt"


def unknown_words(checkpoint: Checkpoint, texts: Iterable[str]) -> list[str]:
    """The words of texts that the painter never learned, in order and in lower case.

    Empty for a checkpoint without a list, such as Stable Diffusion's.
    """
    file = checkpoint.folder / FILE
    if not file.exists():
        return []
    known = set(file.read_text("utf-8").split())
    words = [word for text in texts for word in re.findall(r"[^\W\d_][\w']*", text.lower())]
    return [word for word in dict.fromkeys(words) if word not in known]
