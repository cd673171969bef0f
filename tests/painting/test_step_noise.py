"""Stochastic schedulers: each image has its own noise, whatever else is in its batch."""

import inspect
import json
from collections.abc import Callable
from pathlib import Path

import diffusers
import pytest
import torch
from diffusers import SchedulerMixin, StableDiffusionPipeline
from diffusers.schedulers import KarrasDiffusionSchedulers
from helpers import Tiny, denoise

from monetize.checkpoints.schedulers import NEEDS_TORCHSDE, USABLE
from monetize.painting.latents import SeededNoise
from monetize.painting.painter import Painter
from monetize.painting.step_noise import own_step_noise
from monetize.prompts.prompt import Prompt
from monetize.settings import SCHEDULERS

Load = Callable[..., Painter]
PROMPTS = [Prompt("a pine tree"), Prompt("a lake"), Prompt("a red sun")]
STOCHASTIC = ("euler-a", "lcm")
SDE = {"_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "sde-dpmsolver++"}
UNNAMED = sorted(USABLE - set(SCHEDULERS.values()))
QUICK = ("KDPM2AncestralDiscreteScheduler", "TCDScheduler")


def with_scheduler(folder: Path, config: dict[str, str]) -> Painter:
    """A painter whose checkpoint has this scheduler, with Stable Diffusion's noise levels."""
    path = folder / "scheduler" / "scheduler_config.json"
    own = json.loads(path.read_text())
    levels = {key: own[key] for key in ("beta_start", "beta_end", "beta_schedule")}
    path.write_text(json.dumps({**levels, "steps_offset": 1, **config}))
    return Painter.from_pretrained(
        str(folder), device="cpu", num_inference_steps=3, guidance_scale=3.0
    )


def check_seeds(painter: Painter) -> None:
    together = denoise(painter, PROMPTS, [1, 2, 3])
    alone = [denoise(painter, [prompt], [i]) for i, prompt in enumerate(PROMPTS, 1)]
    # LCM multiplies what is rounded by 15 in its first step.
    scale = max(1.0, float(together.abs().max()))
    assert torch.allclose(together, torch.cat(alone), rtol=0, atol=1e-4 * scale)
    assert torch.equal(together, denoise(painter, PROMPTS, [1, 2, 3]))
    assert torch.isfinite(together).all()


@pytest.mark.parametrize("scheduler", STOCHASTIC)
def test_a_batch_is_what_each_gives_alone(painter_with: Load, scheduler: str) -> None:
    check_seeds(painter_with(scheduler=scheduler))


@pytest.mark.parametrize(
    "config",
    [
        SDE,
        *(
            pytest.param({"_class_name": name}, marks=() if name in QUICK else pytest.mark.slow)
            for name in UNNAMED
        ),
    ],
    ids=lambda config: "-".join(config.values()),
)
def test_an_unnamed_scheduler_keeps_working(tiny_copy: Tiny, config: dict[str, str]) -> None:
    if config["_class_name"] == NEEDS_TORCHSDE:
        pytest.importorskip("torchsde")
    painter = with_scheduler(tiny_copy.painter, config)
    assert type(painter.pipeline.scheduler).__name__ == config["_class_name"]
    check_seeds(painter)


@pytest.mark.parametrize("scheduler", STOCHASTIC)
def test_it_is_diffusers_painting_up_to_rounding(painter_with: Load, scheduler: str) -> None:
    painter = painter_with(scheduler=scheduler, guidance_scale=5.0)
    pipeline = StableDiffusionPipeline(**painter.pipeline.components, requires_safety_checker=False)
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(
        PROMPTS[0].text,
        num_inference_steps=4,
        guidance_scale=5.0,
        generator=torch.Generator().manual_seed(7),
        output_type="latent",
    ).images
    assert torch.allclose(denoise(painter, PROMPTS[:1], [7]), theirs, rtol=0, atol=1e-4)


def test_the_noise_of_a_step_is_the_next_of_each_seed() -> None:
    scheduler = diffusers.EulerAncestralDiscreteScheduler()
    scheduler.set_timesteps(3)
    module = inspect.getmodule(scheduler.step)
    draw = module.randn_tensor  # type: ignore[union-attr]
    zeros, noise = torch.zeros(2, 4, 8, 8), SeededNoise([1, 2])
    with own_step_noise(scheduler, noise, torch.device("cpu")):
        timestep = scheduler.timesteps[0]
        scheduler.scale_model_input(zeros, timestep)
        stepped = scheduler.step(zeros, timestep, zeros).prev_sample
    expected = SeededNoise([1, 2]).draw((4, 8, 8))
    scale = (stepped / expected).mean()
    assert torch.allclose(stepped, scale * expected, rtol=1e-4)
    assert module.randn_tensor is draw  # type: ignore[union-attr]


def test_every_stochastic_scheduler_draws_by_the_function_that_is_replaced() -> None:
    """Its steps would otherwise depend on the batch, and on what was painted before."""
    for name in USABLE - {NEEDS_TORCHSDE}:
        kind: type[SchedulerMixin] = getattr(diffusers, name)
        source = inspect.getsource(inspect.getmodule(kind.step))  # type: ignore[arg-type]
        assert "torch.randn(" not in source
        assert "randn_like" not in source
    assert set(KarrasDiffusionSchedulers.__members__) < USABLE
