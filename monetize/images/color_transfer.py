"""The colours of a painting → those of a reference painting, by linear optimal transport."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float64]

# Of so many references, drawn by the painting's seed, the one with the nearest colours is taken:
# one alone may be far off, of all together most would never be.
CANDIDATES = 5
# Added to the variance of each channel, in squared grey levels, so that a grey picture has some.
LEAST_VARIANCE = 1.0
SIDE = 256  # pixels of the larger side that are measured


@dataclass(frozen=True)
class Colours:
    """Mean, (3,), and covariance, (3, 3), of a picture's RGB values from 0 to 255."""

    mean: Floats
    covariance: Floats

    @classmethod
    def of(cls, image: Image.Image) -> "Colours":
        """Measure an RGB image, made smaller if it is large."""
        if max(image.size) > SIDE:
            image = image.copy()
            image.thumbnail((SIDE, SIDE))
        pixels = np.asarray(image, dtype=np.float64).reshape(-1, 3)
        return cls(pixels.mean(0), np.cov(pixels.T) + LEAST_VARIANCE * np.eye(3))

    @cached_property
    def deviation(self) -> Floats:
        """The covariance's symmetric root."""
        return _power(self.covariance, 0.5)

    def distance(self, other: "Colours") -> float:
        """The squared Wasserstein distance of Gaussians with these colours."""
        across = np.linalg.eigvalsh(self.deviation @ other.covariance @ self.deviation)
        traces = np.trace(self.covariance) + np.trace(other.covariance)
        apart = np.square(self.mean - other.mean).sum()
        return float(apart + traces - 2 * np.sqrt(across.clip(0)).sum())

    def transport(self, other: "Colours") -> Floats:
        """The matrix, (3, 3), that takes these deviations from the mean to the other's.

        The Monge–Kantorovich solution, which moves the colours least (Pitié & Kokaram, CVMP 2007).
        """
        inverse = _power(self.covariance, -0.5)
        between = _power(self.deviation @ other.covariance @ self.deviation, 0.5)
        return inverse @ between @ inverse


@dataclass(frozen=True)
class Palette:
    """Reference paintings' colours, and how far to go towards them: 0 not at all, 1 all the way."""

    colours: Sequence[Colours]
    strength: float = 1.0

    def choose(self, colours: Colours, seed: int) -> int:
        """Which reference a painting with these colours and this seed gets."""
        number = len(self.colours)
        random = np.random.default_rng(seed)
        drawn: list[int] = random.choice(number, min(CANDIDATES, number), replace=False).tolist()
        return min(drawn, key=lambda i: colours.distance(self.colours[i]))

    def apply(self, image: Image.Image, seed: int) -> Image.Image:
        """The RGB image with the colours of the reference that its seed chooses."""
        own = Colours.of(image)
        other = self.colours[self.choose(own, seed)]
        matrix = np.eye(3) + self.strength * (own.transport(other) - np.eye(3))
        mean = own.mean + self.strength * (other.mean - own.mean)
        # Pillow cuts what leaves 0 to 255 off.
        shift = mean - matrix @ own.mean
        return image.convert("RGB", tuple(np.hstack([matrix, shift[:, None]]).ravel()))


def _power(matrix: Floats, exponent: float) -> Floats:
    values, vectors = np.linalg.eigh(matrix)
    power: Floats = (vectors * values.clip(1e-12) ** exponent) @ vectors.T
    return power
