"""Distances between two sets of pictures, from their pool features alone; pure mathematics.

Features are float64, shape = (pictures, width); those of Inception-2015 have a width of 2,048.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Of the contest's MiFID: training pictures nearer than this are held to be copied.
MEMORIZATION_EPSILON = 0.1
KID_SUBSETS, KID_SUBSET_SIZE = 100, 1000
ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class Estimate:
    """A figure and its standard deviation under resampling."""

    value: float
    deviation: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ± {self.deviation:.2f}"


def frechet_distance(generated: Floats, reference: Floats) -> float:
    """FID: the squared Wasserstein distance of Gaussians with the sets' means and covariances.

    Heusel et al., NeurIPS 2017. tr √(C₁C₂) is taken as the nuclear norm of X₁X₂ᵀ, the centred
    features themselves (Mathiasen & Hvilshøj, arXiv 2009.14075), which is exact where there are
    fewer pictures than features and the covariances have no inverse.
    """
    return _Frechet(generated, reference).distance()


def bootstrap(
    generated: Floats,
    reference: Floats,
    distances: Floats,
    draws: int = 50,
    on_draw: Callable[[], None] = lambda: None,
    seed: int = 0,
) -> tuple[Estimate, Estimate]:
    """FID and MiFID, and their deviations over draws of as many generated pictures, put back.

    `distances` are the generated pictures' `nearest_distances`. The bias that small sets have is
    no part of a deviation. on_draw is called after each draw.
    """
    frechet = _Frechet(generated, reference)
    fids, mifids = [], []
    for rows in _draws(len(generated), draws, seed):
        fids.append(frechet.distance(rows))
        mifids.append(memorization_informed(fids[-1], float(distances[rows].mean())))
        on_draw()
    fid = frechet.distance()
    mifid = memorization_informed(fid, float(distances.mean()))
    return (
        Estimate(fid, float(np.std(fids, ddof=1))),
        Estimate(mifid, float(np.std(mifids, ddof=1))),
    )


class _Frechet:
    """What of the distance does not depend on which of the generated pictures are taken."""

    def __init__(self, generated: Floats, reference: Floats) -> None:
        self.generated = generated
        self.reference_mean = reference.mean(0)
        centred = reference - self.reference_mean
        # An orthogonal factor of the reference does not change the nuclear norm.
        root = _shortened(centred)
        self.scale = len(reference) - 1
        self.reference_trace = np.square(centred).sum() / self.scale
        self.products = generated @ root.T
        self.squares = np.square(generated).sum(1)

    def distance(self, rows: NDArray[np.int64] | None = None) -> float:
        """Of these of the generated pictures, which may be there more than once; of all if None."""
        generated, products, squares = self.generated, self.products, self.squares
        if rows is not None:
            generated, products, squares = generated[rows], products[rows], squares[rows]
        mean = generated.mean(0)
        trace = (squares.sum() - len(generated) * np.square(mean).sum()) / (len(generated) - 1)
        cross = np.linalg.svd(_shortened(products - products.mean(0)), compute_uv=False).sum()
        cross /= np.sqrt((len(generated) - 1) * self.scale)
        apart = np.square(mean - self.reference_mean).sum()
        return float(apart + trace + self.reference_trace - 2 * cross)


def _shortened(rows: Floats) -> Floats:
    """As many rows as columns at most, with the same products of columns."""
    if len(rows) <= rows.shape[1]:
        return rows
    return np.asarray(np.linalg.qr(rows, mode="r"))


def kernel_distance(
    generated: Floats,
    reference: Floats,
    subsets: int = KID_SUBSETS,
    subset_size: int = KID_SUBSET_SIZE,
    seed: int = 0,
) -> Estimate:
    """KID: unbiased squared MMD with the kernel (x·y / width + 1)³, mean and deviation of subsets.

    Bińkowski et al., ICLR 2018. A subset has subset_size pictures of each set, or half of those of
    the smaller one where that has fewer than twice as many: of the whole set there is one only.
    """
    size = min(subset_size, min(len(generated), len(reference)) // 2)
    random = np.random.default_rng(seed)
    values = [
        squared_mmd(_some(generated, size, random), _some(reference, size, random))
        for _ in range(subsets)
    ]
    return Estimate(float(np.mean(values)), float(np.std(values)))


def _some(rows: Floats, size: int, random: np.random.Generator) -> Floats:
    return rows[random.permutation(len(rows))[:size]]


def squared_mmd(x: Floats, y: Floats) -> float:
    """The unbiased estimate from all pictures, as KID takes it of each pair of subsets."""

    def kernel(one: Floats, other: Floats) -> Floats:
        values: Floats = (one @ other.T / one.shape[1] + 1) ** 3
        return values

    def mean_of_pairs(one: Floats) -> float:
        values = kernel(one, one)
        return float((values.sum() - np.trace(values)) / (len(one) * (len(one) - 1)))

    return mean_of_pairs(x) + mean_of_pairs(y) - 2 * float(kernel(x, y).mean())


def nearest_distances(generated: Floats, training: Floats) -> Floats:
    """Of each generated picture the smallest cosine distance to a training picture, in [0, 1].

    1 − |cos|, as in the contest's own code; shape = (generated pictures,).
    """
    directions = _directions(training)
    return np.concatenate(
        [
            1 - np.abs(_directions(rows) @ directions.T).max(1)
            for rows in np.array_split(generated, -(-len(generated) // ROWS_AT_ONCE))
        ]
    )


def _directions(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    directions: Floats = rows / np.where(lengths, lengths, 1.0)  # a zero is at right angles to all
    return directions


def memorization_informed(frechet: float, distance: float) -> float:
    """MiFID as the contest has it, from FID and the mean of `nearest_distances`.

    FID over d′, which is the distance where that is below ε, else 1 (Bai et al., KDD 2021).
    """
    penalty = distance if distance < MEMORIZATION_EPSILON else 1.0
    return frechet / (penalty + 1e-14)


def _draws(number: int, draws: int, seed: int) -> Iterator[NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    for _ in range(draws):
        yield random.integers(number, size=number)
