"""The metrics of the pocket models."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from monetize.scoring.metrics import Floats

DRAWN = 500  # bootstrap samples, for the interval of a distance
# Words that say little about what is seen: function words, numbers, and positions.
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
    """The words of a caption that say what is seen, in order."""
    return [word for word in re.findall(r"[a-z']+", text.lower()) if word not in EMPTY_WORDS]


def content_f1(predicted: Sequence[str], truth: Sequence[str]) -> Floats:
    """F1 of each caption's set of content words."""
    scores = []
    for ours, theirs in zip(predicted, truth, strict=True):
        left, right = set(content_words(ours)), set(content_words(theirs))
        both = len(left & right)
        scores.append(2 * both / (len(left) + len(right)) if left or right else 1.0)
    return np.array(scores)


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


def kernel_distance_interval(
    generated: Floats, reference: Floats, seed: int = 0
) -> tuple[float, float, float]:
    """KID of whole sets of features with its 95% interval, by bootstrap of the generated ones.

    A picture that is drawn twice is not compared with itself, which would look like a cluster.
    """

    def kernel(one: Floats, other: Floats) -> Floats:
        values: Floats = (one @ other.T / one.shape[1] + 1) ** 3
        return values

    count = len(generated)
    within, across = kernel(generated, generated), kernel(generated, reference).mean(1)
    others = kernel(reference, reference)
    among_reference = (others.sum() - np.trace(others)) / (len(others) * (len(others) - 1))

    def distance(rows: NDArray[np.int64]) -> float:
        different = rows[:, None] != rows
        pairs = within[np.ix_(rows, rows)][different].mean()
        return float(pairs + among_reference - 2 * across[rows].mean())

    draws = np.random.default_rng(seed).integers(count, size=(DRAWN, count))
    low, high = np.quantile([distance(rows) for rows in draws], (0.025, 0.975))
    return distance(np.arange(count)), float(low), float(high)


def variance_shares(values: Floats) -> dict[str, float]:
    """The shares of the variance due to the prompt, to the seed, and to their interaction.

    `values` are of shape (prompts, seeds, numbers of a picture); the parts add up to 1.
    """
    mean = values.mean((0, 1))
    by_prompt, by_seed = values.mean(1) - mean, values.mean(0) - mean
    rest = values - mean - by_prompt[:, None] - by_seed
    parts = {
        "prompt": float(np.square(by_prompt).sum(1).mean()),
        "seed": float(np.square(by_seed).sum(1).mean()),
        "both": float(np.square(rest).sum(2).mean()),
    }
    return {name: part / sum(parts.values()) for name, part in parts.items()}


def own_among_nearest(painted: Floats, photos: Floats, nearest: int) -> Floats:
    """For each painting, 1 if its own photo is among the `nearest` photos to it, else 0.

    By the cosine of features, standardized by the mean and std of the photos'.
    """
    mean, std = photos.mean(0), photos.std(0) + 1e-6
    ours, theirs = ((each - mean) / std for each in (painted, photos))
    ours, theirs = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (ours, theirs))
    likeness = ours @ theirs.T
    nearer = (likeness > np.diag(likeness)[:, None]).sum(1)
    found: Floats = (nearer < nearest).astype(float)
    return found
