"""Compute distances between two sets of images from their pool features: pure math.

Features are float64, shape = (images, width); the width of Inception-2015's is 2,048.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# The contest's MiFID: images nearer to the training images than this count as copies.
MEMORIZATION_EPSILON = 0.1
KID_SUBSETS, KID_SUBSET_SIZE = 100, 1000
CHUNK_ROWS = 1024
ROUNDING = 1e-10  # of sums of up to 2,048 singular values, far below what is shown


@dataclass(frozen=True)
class Estimate:
    """A figure and its standard deviation under resampling."""

    value: float
    std: float

    def __str__(self) -> str:
        # MiFID of copies divides by zero plus 1e-14, as the contest does.
        std = f"{self.std:.2f}" if self.std < 1e6 else f"{self.std:.1e}"
        return f"{self.value:z.2f} ± {std}"


def frechet_distance(generated: Floats, reference: Floats) -> float:
    """Return FID: the squared Wasserstein distance of Gaussians fitted to the two sets.

    Heusel et al., NeurIPS 2017. tr √(C₁C₂) is computed as the nuclear norm of X₁X₂ᵀ of the
    centered features (Mathiasen & Hvilshøj, arXiv 2009.14075), which is exact even if there are
    fewer images than features and the covariances are singular.
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
    """Return FID and MiFID with their std over draws of generated images with replacement.

    `distances` are the generated images' `nearest_distances`. The std does not include the bias of
    small sets. `on_draw` is called after each draw.
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
    """The parts of the distance that do not depend on which generated images are drawn."""

    def __init__(self, generated: Floats, reference: Floats) -> None:
        self.generated = generated
        self.reference_mean = reference.mean(0)
        centered = reference - self.reference_mean
        # An orthogonal factor of the reference does not change the nuclear norm.
        root = _reduced(centered)
        self.scale = len(reference) - 1
        self.reference_trace = np.square(centered).sum() / self.scale
        self.products = generated @ root.T
        self.squares = np.square(generated).sum(1)

    def distance(self, rows: NDArray[np.int64] | None = None) -> float:
        """Return FID of the generated images at these indices, repeated or not; None is all."""
        generated, products, squares = self.generated, self.products, self.squares
        if rows is not None:
            generated, products, squares = generated[rows], products[rows], squares[rows]
        mean = generated.mean(0)
        trace = (squares.sum() - len(generated) * np.square(mean).sum()) / (len(generated) - 1)
        cross = np.linalg.svd(_reduced(products - products.mean(0)), compute_uv=False).sum()
        cross /= np.sqrt((len(generated) - 1) * self.scale)
        means = np.square(mean - self.reference_mean).sum()
        traces = trace + self.reference_trace
        distance = float(means + traces - 2 * cross)
        # Of equal sets only rounding remains, of either sign, which MiFID would divide by zero.
        return distance if distance > ROUNDING * traces else 0.0


def _reduced(rows: Floats) -> Floats:
    """Return at most as many rows as columns, with the same products of columns."""
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
    """Return KID, unbiased squared MMD with the kernel (x·y / width + 1)³: mean, std of subsets.

    Bińkowski et al., ICLR 2018. A subset has subset_size images of each set, but at most half of
    the smaller set, because subsets of the whole set would all be equal.
    """
    size = min(subset_size, min(len(generated), len(reference)) // 2)
    rng = np.random.default_rng(seed)
    values = [
        squared_mmd(_subset(generated, size, rng), _subset(reference, size, rng))
        for _ in range(subsets)
    ]
    return Estimate(float(np.mean(values)), float(np.std(values)))


def _subset(rows: Floats, size: int, rng: np.random.Generator) -> Floats:
    return rows[rng.permutation(len(rows))[:size]]


def squared_mmd(x: Floats, y: Floats) -> float:
    """Return the unbiased estimate from all images, as KID uses for each pair of subsets."""

    def kernel(a: Floats, b: Floats) -> Floats:
        values: Floats = (a @ b.T / a.shape[1] + 1) ** 3
        return values

    def mean_of_pairs(a: Floats) -> float:
        values = kernel(a, a)
        return float((values.sum() - np.trace(values)) / (len(a) * (len(a) - 1)))

    return mean_of_pairs(x) + mean_of_pairs(y) - 2 * float(kernel(x, y).mean())


def nearest_distances(generated: Floats, training: Floats) -> Floats:
    """Return each generated image's smallest cosine distance to a training image, in [0, 1].

    1 − |cos|, as in the contest's own code; shape = (generated images,).
    """
    directions = _directions(training)
    return np.concatenate(
        [
            (1 - np.abs(_directions(rows) @ directions.T).max(1)).clip(0)
            for rows in np.array_split(generated, -(-len(generated) // CHUNK_ROWS))
        ]
    )


def _directions(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    directions: Floats = rows / np.where(lengths, lengths, 1.0)  # zero is orthogonal to all
    return directions


def memorization_informed(frechet: float, distance: float) -> float:
    """Return the contest's MiFID from FID and the mean of `nearest_distances`.

    FID divided by the distance if that is below ε, otherwise by 1 (Bai et al., KDD 2021).
    """
    penalty = distance if distance < MEMORIZATION_EPSILON else 1.0
    return frechet / (penalty + 1e-14)


def _draws(count: int, draws: int, seed: int) -> Iterator[NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        yield rng.integers(count, size=count)
