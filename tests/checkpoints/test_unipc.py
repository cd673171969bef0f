import diffusers
import pytest
import torch

from monetize.checkpoints.unipc import UniPCMultistepScheduler


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("steps", [1, 2, 20])
def test_the_samples_are_those_of_diffusers(order: int, steps: int) -> None:
    noise = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    ours, theirs = (
        kind(**noise, solver_order=order)
        for kind in (UniPCMultistepScheduler, diffusers.UniPCMultistepScheduler)
    )
    generator = torch.Generator().manual_seed(0)
    one = other = torch.randn(2, 4, 8, 8, generator=generator)
    for scheduler in (ours, theirs):
        scheduler.set_timesteps(steps)
    for timestep in theirs.timesteps:
        prediction = torch.randn(one.shape, generator=generator)
        one = ours.step(prediction + 0.1 * one, timestep, one).prev_sample
        other = theirs.step(prediction + 0.1 * other, timestep, other).prev_sample
        assert torch.allclose(one, other, rtol=1e-5, atol=1e-5)


def test_it_has_the_name_that_diffusers_gives_it() -> None:
    assert UniPCMultistepScheduler.__name__ == diffusers.UniPCMultistepScheduler.__name__
