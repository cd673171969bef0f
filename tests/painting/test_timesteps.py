"""Which steps a strength leaves, and that they end in the right distribution."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from monetize.errors import UsageError
from monetize.painting.denoiser import Denoiser
from monetize.painting.painter import Painter
from monetize.painting.timesteps import (
    check_steps,
    fewest_steps,
    num_evaluations,
    num_steps,
    set_timesteps,
)
from monetize.prompts.prompt import Prompt
from monetize.settings import SCHEDULERS, PaintSettings

Load = Callable[..., Painter]
Spread = Callable[[str, float | None], float]
TARGET = 0.5  # standard deviation of the known distribution
STRENGTHS = (
    0.3,
    pytest.param(0.5, marks=pytest.mark.slow),
    pytest.param(0.8, marks=pytest.mark.slow),
    1.0,
)


@pytest.fixture
def spread(painter_with: Load, monkeypatch: pytest.MonkeyPatch) -> Spread:
    """Denoise samples of a Gaussian exactly in 20 steps, and measure what they become."""
    generator = torch.Generator().manual_seed(0)
    data, noise = (torch.randn(1, 4, 256, 256, generator=generator) for _ in range(2))

    def measure(scheduler: str, strength: float | None) -> float:
        painter = painter_with(
            scheduler=scheduler, strength=strength, num_inference_steps=20, guidance_scale=1.0
        )
        sampler = painter.pipeline.scheduler
        levels = (1 / sampler.alphas_cumprod - 1).sqrt()

        def exact(sample: torch.Tensor, timestep: torch.Tensor, **_: object) -> object:
            # Between whole timesteps, schedulers take the noise level in between, too.
            below = int(timestep)
            above = min(below + 1, len(levels) - 1)
            level = torch.lerp(levels[below], levels[above], float(timestep) - below)
            alpha = 1 / (1 + level**2)
            variance = alpha * TARGET**2 + 1 - alpha
            noise = (1 - alpha) ** 0.5 / variance * sample
            if scheduler == "lcm":  # takes a model that knows where the path of a sample ends
                end = sample * TARGET / variance**0.5
                c_skip, c_out = sampler.get_scalings_for_boundary_condition_discrete(timestep)
                noise = (sample - alpha**0.5 * (end - c_skip * sample) / c_out) / (1 - alpha) ** 0.5
            return SimpleNamespace(sample=noise)

        monkeypatch.setattr(painter.pipeline.unet, "forward", exact)
        denoiser = Denoiser(painter.pipeline, painter.device)
        init_latents = None if strength is None else TARGET * data
        request = painter.request(Prompt("x"), 1)  # 0 would repeat the noise in the steps
        return float(denoiser([request], noise, painter.settings, init_latents=init_latents).std())

    return measure


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_known_distribution_comes_out_as_from_noise(
    spread: Spread, scheduler: str, strength: float
) -> None:
    """The few steps of DDIM, DPM++ and UniPC are as far from the target with a photo as without."""
    assert spread(scheduler, strength) == pytest.approx(spread(scheduler, None), abs=0.007)


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize(
    ("scheduler", "low", "high"),
    [("pndm", 0.492, 0.5), ("lms", 0.497, 0.502), ("heun", 0.497, 0.505), ("lcm", 0.495, 0.505)],
)
def test_some_schedulers_keep_a_known_distribution(
    spread: Spread, scheduler: str, low: float, high: float, strength: float
) -> None:
    """Sliced as in diffusers, PNDM and LMS give 0.498 to 0.525 and 0.42 to 0.47 here."""
    assert low < spread(scheduler, strength) < high


@pytest.mark.parametrize(
    ("scheduler", "steps", "strength", "made", "evaluated"),
    [
        ("pndm", 50, None, 50, 51),
        ("pndm", 50, 1.0, 50, 51),
        ("pndm", 50, 0.8, 40, 41),
        ("pndm", 50, 0.5, 25, 26),
        ("pndm", 50, 0.04, 2, 3),
        ("pndm", 50, 0.02, 1, 1),
        ("pndm", 1, None, 1, 1),
        ("ddim", 50, 0.5, 25, 25),
        ("lms", 15, 0.65, 9, 9),
        ("dpm++", 15, 0.5, 7, 7),
        ("unipc", 15, 0.3, 4, 4),
        ("euler", 15, 0.5, 7, 7),
        ("euler-a", 15, None, 15, 15),
        ("heun", 10, None, 10, 19),
        ("heun", 10, 0.5, 5, 9),
        ("heun", 10, 0.1, 1, 1),
        ("lcm", 8, 0.5, 4, 4),
    ],
)
def test_a_strength_takes_the_last_steps(
    painter_with: Load,
    scheduler: str,
    steps: int,
    strength: float | None,
    made: int,
    evaluated: int,
) -> None:
    painter = painter_with(scheduler=scheduler, num_inference_steps=steps, strength=strength)
    settings, sampler = painter.settings, painter.pipeline.scheduler
    assert (num_steps(settings), num_evaluations(settings)) == (made, evaluated)
    kept = set_timesteps(sampler, settings).tolist()
    assert len(kept) == evaluated
    assert (
        sorted(set(kept), reverse=True) == sorted(set(sampler.timesteps.tolist()))[made - 1 :: -1]
    )


def test_pndm_repeats_the_second_step_that_is_made(painter_with: Load) -> None:
    painter = painter_with(scheduler="pndm", num_inference_steps=10, strength=0.4)
    kept = set_timesteps(painter.pipeline.scheduler, painter.settings)
    assert kept.tolist() == [301, 201, 201, 101, 1]


@pytest.mark.parametrize(("strength", "fewest"), [(None, 1), (1.0, 1), (0.5, 2), (0.3, 4)])
def test_the_fewest_steps_leave_one_to_make(strength: float | None, fewest: int) -> None:
    assert fewest_steps(strength) == fewest


def test_every_strength_has_fewest_steps_that_leave_exactly_one() -> None:
    for percent in range(1, 101):
        settings = PaintSettings(strength=percent / 100)
        steps = fewest_steps(settings.strength)
        assert num_steps(replace(settings, num_inference_steps=steps)) >= 1
        assert steps == 1 or num_steps(replace(settings, num_inference_steps=steps - 1)) == 0


def test_a_strength_without_a_step_is_refused(painter_with: Load) -> None:
    message = r"--strength 0.2 with 4 steps: 4 × 0.2 is less than one step: use --steps 5 or more"
    with pytest.raises(UsageError, match=message):
        painter_with(strength=0.2)
    with pytest.raises(UsageError, match=message):
        check_steps(PaintSettings(num_inference_steps=4, strength=0.2))


def test_runge_kutta_steps_cannot_start_from_a_photo(painter_with: Load) -> None:
    painter = painter_with(scheduler="pndm", num_inference_steps=20, strength=0.5)
    scheduler = painter.pipeline.scheduler
    scheduler.register_to_config(skip_prk_steps=False)
    with pytest.raises(UsageError, match=r"Runge-Kutta steps .*: use --scheduler ddim"):
        set_timesteps(scheduler, painter.settings)
