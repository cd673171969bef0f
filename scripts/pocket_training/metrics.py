"""What the pocket models are measured by."""

import re
from collections.abc import Sequence

import numpy as np
from torch import Tensor

from monetize.scoring.metrics import Floats

# Words that say little of what is seen: function words, numbers, and how things lie.
EMPTY_WORDS = frozenset(
    re.findall(
        r"\S+",
        "a an the of in on at to with and or is are was by for from near next over under up down "
        "out off into through it its it's that this there his her their them some other two three "
        "four one large small body view group couple bunch top side middle front back background "
        "photo picture image close very many several lot lots few sitting standing has filled "
        "covered surrounded behind distance area scene",
    )
)


def content_words(text: str) -> list[str]:
    """The words of a caption that say what is seen, in their order."""
    return [word for word in re.findall(r"[a-z']+", text.lower()) if word not in EMPTY_WORDS]


def content_f1(said: Sequence[str], truth: Sequence[str]) -> float:
    """Mean over captions of the F1 of their sets of content words."""
    scores = []
    for ours, theirs in zip(said, truth, strict=True):
        left, right = set(content_words(ours)), set(content_words(theirs))
        both = len(left & right)
        scores.append(2 * both / (len(left) + len(right)) if left or right else 1.0)
    return float(np.mean(scores))


def warmth(pictures: Tensor) -> Floats:
    """Mean of red − blue of each uint8 picture (count, 3, height, width), in [-255, 255]."""
    means = pictures.double().mean((2, 3))
    values: Floats = (means[:, 0] - means[:, 2]).numpy()
    return values


def mean_interval(values: Floats, seed: int = 0) -> tuple[float, float, float]:
    """A mean with its 95% interval by bootstrap."""
    draw = np.random.default_rng(seed).integers(len(values), size=(10_000, len(values)))
    low, high = np.quantile(values[draw].mean(1), (0.025, 0.975))
    return float(values.mean()), float(low), float(high)
