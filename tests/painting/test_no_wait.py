"""The loop of steps never waits for the device, and launches little besides the UNet."""

from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers import UniPCMultistepScheduler
from helpers import requests
from watched_device import META, Watch

from monetize.painting.painter import Painter
from monetize.prompts.prompt import Prompt
from monetize.prompts.weights import Weight
from monetize.settings import SCHEDULERS

Load = Callable[..., Painter]
PROMPTS = [Prompt("a pine tree", (Weight("pine", -1),)), Prompt("a lake"), Prompt("a lake")]


def on_meta(painter: Painter) -> Painter:
    """A painter whose weights have no data; its UNet returns its input."""
    painter.pipeline.to(META)
    painter = Painter(painter.pipeline, painter.settings, META)
    painter.pipeline.unet.forward = lambda sample, *_, **__: SimpleNamespace(
        sample=torch.empty_like(sample)
    )
    return painter


def watched(painter: Painter) -> tuple[list[str], list[int]]:
    """Where the painting of a batch waits, and the kernels launched in each step but the first."""
    watch = Watch()
    totals: list[int] = []
    with watch:
        latents = painter.denoise(
            requests(painter, PROMPTS, [1, 2, 3]),
            on_step=lambda *_: totals.append(watch.kernels.total()),
        )
    assert latents.is_meta
    assert latents.shape == (3, 4, 8, 8)
    return watch.waits, [after - before for before, after in pairwise(totals)]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("guidance", [(0.0, 1.0), (0.2, 0.8)])
def test_a_batch_never_waits_for_the_device(
    painter_with: Load, scheduler: str, guidance: tuple[float, float]
) -> None:
    start, end = guidance
    painter = painter_with(
        scheduler=scheduler,
        num_inference_steps=8,
        negative_prompt="people",
        weight_end=0.5,
        guidance_start=start,
        guidance_end=end,
    )
    assert watched(on_meta(painter))[0] == []


def test_the_unet_itself_does_not_wait(painter_with: Load) -> None:
    painter = painter_with(num_inference_steps=2, guidance_end=0.5)
    painter.pipeline.to(META)
    painter = Painter(painter.pipeline, painter.settings, META)
    assert watched(painter)[0] == []


@pytest.mark.parametrize(
    ("scheduler", "budget"),
    [
        ("pndm", 16),
        ("lms", 18),
        ("ddim", 10),
        ("dpm++", 14),
        ("unipc", 14),
        ("euler", 16),
        ("euler-a", 18),
        ("heun", 14),
        ("lcm", 16),
    ],
)
def test_a_step_launches_few_kernels_besides_the_unet(
    painter_with: Load, scheduler: str, budget: int
) -> None:
    _, kernels = watched(on_meta(painter_with(scheduler=scheduler, num_inference_steps=8)))
    assert max(kernels) <= budget


def blocking_copy(painter: Painter) -> None:
    unet = painter.pipeline.unet
    forward = unet.forward
    unet.forward = lambda *args, **kwargs: (torch.ones(2).to(META), forward(*args, **kwargs))[1]


def item(painter: Painter) -> None:
    unet = painter.pipeline.unet
    forward = unet.forward
    unet.forward = lambda sample, *args, **kwargs: (
        sample.sum().item(),
        forward(sample, *args, **kwargs),
    )[1]


def timesteps_on_the_device(painter: Painter) -> None:
    scheduler = painter.pipeline.scheduler
    set_timesteps = scheduler.set_timesteps
    scheduler.set_timesteps = lambda steps: set_timesteps(steps, device=META)


def diffusers_unipc(painter: Painter) -> None:
    pipeline = painter.pipeline
    pipeline.scheduler = UniPCMultistepScheduler.from_config(pipeline.scheduler.config)


@pytest.mark.parametrize("mutant", [blocking_copy, item, timesteps_on_the_device, diffusers_unipc])
def test_what_would_wait_is_found(painter_with: Load, mutant: Callable[[Painter], None]) -> None:
    painter = on_meta(painter_with(num_inference_steps=4))
    mutant(painter)
    found: Any
    try:
        found = watched(painter)[0]
    except (RuntimeError, AssertionError) as error:
        found = error
    assert found
