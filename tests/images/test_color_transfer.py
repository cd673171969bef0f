"""Colors move to those of one reference, chosen by the seed and the colors."""

from pathlib import Path

import numpy as np
import pytest
from helpers import BUNDLED_PHOTOS
from PIL import Image

from monetize.images.color_transfer import CANDIDATES, ColorStatistics, Palette
from monetize.images.palettes import PaletteSource
from monetize.progress import Reporter


def photo(name: str) -> Image.Image:
    """With half the contrast, so that nothing is cut at 0 and 255."""
    with Image.open(BUNDLED_PHOTOS / name) as image:
        small = image.convert("RGB").resize((64, 64))
    return Image.blend(small, Image.new("RGB", small.size, "grey"), 0.5)


def palette_of(*names: str, strength: float = 1.0) -> Palette:
    return Palette([ColorStatistics.of(photo(name)) for name in names], strength)


def test_mean_and_covariance_become_the_references() -> None:
    ours, reference = photo("meadow.jpg"), photo("temple.jpg")
    moved = ColorStatistics.of(palette_of("temple.jpg").apply(ours, seed=0))
    wanted = ColorStatistics.of(reference)
    assert moved.mean == pytest.approx(wanted.mean, abs=1)
    assert moved.covariance == pytest.approx(wanted.covariance, rel=0.03)


def test_an_image_that_already_has_the_colors_keeps_its_pixels() -> None:
    ours = photo("meadow.jpg")
    moved = palette_of("meadow.jpg").apply(ours, seed=0)
    assert np.abs(np.asarray(moved, int) - np.asarray(ours, int)).max() <= 1


def test_strength_interpolates() -> None:
    ours = photo("meadow.jpg")
    none, half, whole = (
        np.asarray(palette_of("sunset.jpg", strength=strength).apply(ours, 0), float).mean((0, 1))
        for strength in (0, 0.5, 1)
    )
    assert none == pytest.approx(np.asarray(ours, float).mean((0, 1)), abs=0.5)
    assert half == pytest.approx((none + whole) / 2, abs=4)


def test_the_distance_is_that_of_gaussians() -> None:
    one, other = ColorStatistics.of(photo("meadow.jpg")), ColorStatistics.of(photo("sunset.jpg"))
    assert one.distance(one) == pytest.approx(0, abs=1e-6)
    assert one.distance(other) == pytest.approx(other.distance(one))
    shifted = ColorStatistics(one.mean + np.array([3.0, 0, 4]), one.covariance)
    assert one.distance(shifted) == pytest.approx(25)


def test_the_transport_maps_one_covariance_to_the_other() -> None:
    one, other = ColorStatistics.of(photo("meadow.jpg")), ColorStatistics.of(photo("sunset.jpg"))
    matrix = one.transport(other)
    assert matrix == pytest.approx(matrix.T)
    assert matrix @ one.covariance @ matrix.T == pytest.approx(other.covariance, rel=1e-6)


def test_the_nearest_of_the_references_drawn_by_the_seed_is_used(paintings: Path) -> None:
    few = PaletteSource.of(str(paintings)).load(1.0, Reporter())
    reddish = ColorStatistics.of(Image.new("RGB", (8, 8), (200, 90, 90)))
    assert {few.choose(reddish, seed) for seed in range(20)} == {2}, "of b, g and r"
    many = Palette([*few.references] * 30)
    assert len({many.choose(reddish, seed) for seed in range(20)}) > CANDIDATES
    assert many.choose(reddish, 7) == many.choose(reddish, 7)


@pytest.mark.parametrize("color", [0, 128, 255])
def test_an_image_of_one_color_gets_the_mean(color: int, paintings: Path) -> None:
    palette = PaletteSource.of(str(paintings)).load(1.0, Reporter())
    plain = Image.new("RGB", (16, 16), (color,) * 3)
    moved = np.asarray(palette.apply(plain, seed=1), float)
    wanted = palette.references[palette.choose(ColorStatistics.of(plain), 1)].mean
    assert moved.mean((0, 1)) == pytest.approx(wanted, abs=1)
