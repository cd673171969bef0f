"""The figures of `score` computed from features agree with closed forms and torchmetrics."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from monetize.scoring.metrics import (
    Estimate,
    Floats,
    bootstrap,
    frechet_distance,
    kernel_distance,
    memorization_informed,
    nearest_distances,
    squared_mmd,
)

WIDTH = 24


def features(number: int, seed: int, shift: float = 0.0) -> Floats:
    random = np.random.default_rng(seed)
    mixing = np.random.default_rng(7).standard_normal((WIDTH, WIDTH))
    values: Floats = np.abs(random.standard_normal((number, WIDTH)) @ mixing + shift)
    return values


def gaussian(number: int, mean: Floats, stds: Floats) -> Floats:
    """Features with exactly this mean and these stds along the axes."""
    random = np.random.default_rng(0).standard_normal((number, len(mean)))
    centered, _ = np.linalg.qr(random - random.mean(0))
    values: Floats = mean + centered * np.sqrt(number - 1) * stds
    return values


def test_frechet_distance_of_gaussians_is_the_closed_form() -> None:
    random = np.random.default_rng(1)
    means, stds = random.standard_normal((2, WIDTH)), random.uniform(0.1, 3, (2, WIDTH))
    ours = gaussian(100, means[0], stds[0])
    theirs = gaussian(60, means[1], stds[1])
    expected = np.square(means[0] - means[1]).sum() + np.square(stds[0] - stds[1]).sum()
    assert frechet_distance(ours, theirs) == pytest.approx(expected, rel=1e-9)


def test_equal_sets_have_no_distance_of_either_sign() -> None:
    for number in (12, 200):
        ours = features(number, 1)
        assert frechet_distance(ours, ours[::-1]) == 0
        distances = nearest_distances(ours, ours)
        assert distances.min() >= 0
        assert distances == pytest.approx(0, abs=1e-12)
    assert frechet_distance(ours, ours + 1e-3) == pytest.approx(WIDTH * 1e-6, rel=1e-3)


class Given(nn.Module):
    """Passes features through in place of a network."""

    num_features = WIDTH

    def forward(self, rows: Tensor) -> Tensor:
        return rows.flatten(1)


def rows(values: Floats) -> Tensor:
    return torch.from_numpy(values).view(len(values), 1, 1, WIDTH)


# Fewer images than features, more, and one of each.
@pytest.mark.parametrize(("ours", "theirs"), [(200, 90), (15, 90), (90, 15), (12, 15)])
def test_frechet_distance_agrees_with_torchmetrics(ours: int, theirs: int) -> None:
    generated, reference = features(ours, 1, shift=0.3), features(theirs, 2)
    metric = FrechetInceptionDistance(Given(), input_img_size=(1, 1, WIDTH), normalize=True)
    metric.set_dtype(torch.float64)
    metric.update(rows(reference), real=True)
    metric.update(rows(generated), real=False)
    expected = float(metric.compute())
    assert frechet_distance(generated, reference) == pytest.approx(expected, rel=1e-3)


def test_kernel_distance_agrees_with_torchmetrics() -> None:
    generated, reference = features(50, 1, shift=0.3), features(50, 2)
    metric = KernelInceptionDistance(Given(), subsets=1, subset_size=50, normalize=True)
    metric.set_dtype(torch.float64)
    metric.update(rows(reference), real=True)
    metric.update(rows(generated), real=False)
    expected, _ = metric.compute()
    assert squared_mmd(generated, reference) == pytest.approx(float(expected), rel=1e-6)


def test_squared_mmd_is_the_unbiased_estimator() -> None:
    draw = np.random.default_rng(0)
    ours, theirs = draw.normal(size=(6, 4)), draw.normal(1, 1, size=(5, 4))

    def kernel(a: Floats, b: Floats) -> float:
        return float((a @ b / 4 + 1) ** 3)

    within_ours = [kernel(a, b) for i, a in enumerate(ours) for j, b in enumerate(ours) if i != j]
    within_theirs = [
        kernel(a, b) for i, a in enumerate(theirs) for j, b in enumerate(theirs) if i != j
    ]
    between = [kernel(a, b) for a in ours for b in theirs]
    expected = np.mean(within_ours) + np.mean(within_theirs) - 2 * np.mean(between)
    assert squared_mmd(ours, theirs) == pytest.approx(expected)


def test_kernel_distance_is_the_mean_over_subsets_and_unbiased() -> None:
    generated, reference = features(300, 1), features(300, 2)
    estimate = kernel_distance(generated, reference, subsets=200, subset_size=60)
    whole = squared_mmd(generated, reference)
    assert abs(estimate.value - whole) < 4 * estimate.std / np.sqrt(200)
    assert kernel_distance(generated, reference, 20, 60) == kernel_distance(
        generated, reference, 20, 60
    )


def test_subsets_are_halves_of_small_sets() -> None:
    """Otherwise all subsets would be equal, and the std 0."""
    generated, reference = features(30, 1), features(40, 2)
    estimate = kernel_distance(generated, reference, subsets=50)
    assert estimate == kernel_distance(generated, reference, subsets=50, subset_size=15)
    assert estimate.std > 0


def test_bootstrap_measures_how_much_the_figures_depend_on_the_images() -> None:
    reference = features(200, 2)
    (few, few_mifid), (many, many_mifid) = (
        bootstrap(ours, reference, nearest_distances(ours, reference), draws=40)
        for ours in (features(number, 1, shift=0.5) for number in (100, 1600))
    )
    ours = features(100, 1, shift=0.5)
    assert few.value == frechet_distance(ours, reference)
    distance = float(nearest_distances(ours, reference).mean())
    assert few_mifid.value == memorization_informed(few.value, distance)
    assert few.std > 2 * many.std
    assert few_mifid.std > 2 * many_mifid.std > 0


def test_copies_make_mifid_uncertain_beyond_fid() -> None:
    reference = features(60, 2)
    ours = np.concatenate([features(30, 1), reference[:30]])
    distances = nearest_distances(ours, reference)
    fid, mifid = bootstrap(ours, reference, distances, draws=40)
    assert distances.mean() < 0.1
    assert mifid.std / mifid.value > 1.5 * fid.std / fid.value


def test_an_image_with_zero_features_is_near_none() -> None:
    distances = nearest_distances(np.zeros((1, WIDTH)), features(5, 1))
    assert distances.tolist() == [1.0]


def test_memorization_is_averaged_over_the_generated_images() -> None:
    """In torchmetrics' mean over the real images a single copy would go unnoticed."""
    training = np.eye(4, WIDTH)
    generated = np.stack([3 * training[0], 3 * training[0], training[:2].sum(0)])
    distances = nearest_distances(generated, training)
    assert distances == pytest.approx([0, 0, 1 - np.sqrt(0.5)])
    assert nearest_distances(training, generated).mean() != pytest.approx(distances.mean())


@pytest.mark.parametrize(
    ("distance", "expected"), [(0.05, 800.0), (0.0999, 40 / 0.0999), (0.1, 40.0), (0.7, 40.0)]
)
def test_mifid_is_fid_divided_by_a_small_distance(distance: float, expected: float) -> None:
    assert memorization_informed(40.0, distance) == pytest.approx(expected)


def test_an_estimate_is_shown_with_its_std() -> None:
    assert str(Estimate(123.456, 1.5)) == "123.46 ± 1.50"
    assert str(Estimate(-0.001, 7.8e14)) == "0.00 ± 7.8e+14"
