"""Move a painting's colors to those of a reference painting by linear optimal transport."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float64]

# Each seed draws this many candidate references, and the one with the nearest colors is used:
# a single random one may be far off, and the nearest of all would leave most unused.
CANDIDATES = 5
# Added to the variance of each channel, in squared gray levels, so that a gray image has some.
MIN_VARIANCE = 1.0
MEASURED_SIDE = 256  # pixels; larger images are measured at this size


@dataclass(frozen=True)
class ColorStatistics:
    """Mean, shape = (3,), and covariance, shape = (3, 3), of RGB values from 0 to 255."""

    mean: Floats
    covariance: Floats

    @classmethod
    def of(cls, image: Image.Image) -> "ColorStatistics":
        """Measure an RGB image, downscaled if it is large."""
        if max(image.size) > MEASURED_SIDE:
            image = image.copy()
            image.thumbnail((MEASURED_SIDE, MEASURED_SIDE))
        pixels = np.asarray(image, dtype=np.float64).reshape(-1, 3)
        return cls(pixels.mean(0), np.cov(pixels.T) + MIN_VARIANCE * np.eye(3))

    @cached_property
    def std(self) -> Floats:
        """The symmetric square root of the covariance, shape = (3, 3)."""
        return _matrix_power(self.covariance, 0.5)

    def distance(self, other: "ColorStatistics") -> float:
        """Return the squared Wasserstein distance of Gaussians with these statistics."""
        cross = np.linalg.eigvalsh(self.std @ other.covariance @ self.std)
        traces = np.trace(self.covariance) + np.trace(other.covariance)
        means = np.square(self.mean - other.mean).sum()
        return float(means + traces - 2 * np.sqrt(cross.clip(0)).sum())

    def transport(self, other: "ColorStatistics") -> Floats:
        """Return the matrix, shape = (3, 3), that maps this covariance to the other.

        The Monge–Kantorovich solution, which moves colors least (Pitié & Kokaram, CVMP 2007).
        """
        inverse = _matrix_power(self.covariance, -0.5)
        middle = _matrix_power(self.std @ other.covariance @ self.std, 0.5)
        return inverse @ middle @ inverse


@dataclass(frozen=True)
class Palette:
    """Color statistics of reference paintings, and a strength from 0 (off) to 1 (full)."""

    references: Sequence[ColorStatistics]
    strength: float = 1.0

    def choose(self, own: ColorStatistics, seed: int) -> int:
        """Return the index of the reference for a painting with these statistics and seed."""
        count = len(self.references)
        rng = np.random.default_rng(seed)
        drawn: list[int] = rng.choice(count, min(CANDIDATES, count), replace=False).tolist()
        return min(drawn, key=lambda i: own.distance(self.references[i]))

    def apply(self, image: Image.Image, seed: int) -> Image.Image:
        """Return the RGB image with the colors of the reference that `choose` returns."""
        own = ColorStatistics.of(image)
        reference = self.references[self.choose(own, seed)]
        matrix = np.eye(3) + self.strength * (own.transport(reference) - np.eye(3))
        mean = own.mean + self.strength * (reference.mean - own.mean)
        shift = mean - matrix @ own.mean
        # Pillow clips to 0..255.
        return image.convert("RGB", tuple(np.hstack([matrix, shift[:, None]]).ravel()))


def _matrix_power(matrix: Floats, exponent: float) -> Floats:
    values, vectors = np.linalg.eigh(matrix)
    power: Floats = (vectors * values.clip(1e-12) ** exponent) @ vectors.T
    return power
