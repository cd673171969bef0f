"""What a checkpoint's configuration says about steps and guidance."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from helpers import Listener, Tiny, denoise

from monetize.checkpoints.layout import PAINTER
from monetize.checkpoints.own_settings import complete_settings
from monetize.checkpoints.resolve import resolve
from monetize.errors import UsageError
from monetize.painting.painter import Painter
from monetize.painting.spec import PainterSpec
from monetize.prompts.prompt import Prompt
from monetize.settings import DeviceSettings, PaintSettings

Load = Callable[..., Painter]


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def completed(folder: Path, **settings: Any) -> PaintSettings:
    return complete_settings(resolve(str(folder), PAINTER), PaintSettings(**settings))


@pytest.fixture
def distilled(tiny_copy: Tiny) -> Path:
    """A painter whose UNet takes the guidance scale as an input, as LCM's."""
    unet = tiny_copy.painter / "unet"
    model = UNet2DConditionModel.from_pretrained(unet)
    torch.manual_seed(0)
    larger = UNet2DConditionModel.from_config({**model.config, "time_cond_proj_dim": 16})
    larger.load_state_dict(model.state_dict(), strict=False)
    larger.save_pretrained(unet)
    change(tiny_copy.painter / "scheduler/scheduler_config.json", _class_name="LCMScheduler")
    change(tiny_copy.painter / "model_index.json", _class_name="LatentConsistencyModelPipeline")
    return tiny_copy.painter


@pytest.mark.parametrize(
    ("scheduler", "steps", "guidance"),
    [
        ({}, 50, 7.5),
        ({"_class_name": "LCMScheduler"}, 4, 1.0),
        ({"_class_name": "TCDScheduler"}, 4, 1.0),
        ({"_class_name": "EulerDiscreteScheduler", "timestep_spacing": "trailing"}, 4, 1.0),
        ({"_class_name": "EulerDiscreteScheduler"}, 50, 7.5),
        (
            {
                "_class_name": "EulerDiscreteScheduler",
                "timestep_spacing": "trailing",
                "rescale_betas_zero_snr": True,
            },
            50,
            7.5,
        ),
        ({"_class_name": "DDIMScheduler", "timestep_spacing": "trailing"}, 50, 7.5),
    ],
)
def test_distilled_checkpoints_get_few_steps(
    tiny_copy: Tiny, scheduler: dict[str, Any], steps: int, guidance: float
) -> None:
    change(tiny_copy.painter / "scheduler/scheduler_config.json", **scheduler)
    settings = completed(tiny_copy.painter)
    assert (settings.num_inference_steps, settings.guidance_scale) == (steps, guidance)
    given = completed(tiny_copy.painter, num_inference_steps=8, guidance_scale=2.0)
    assert (given.num_inference_steps, given.guidance_scale) == (8, 2.0)


def test_few_steps_are_said_unless_they_were_given(tiny_copy: Tiny) -> None:
    change(tiny_copy.painter / "scheduler/scheduler_config.json", _class_name="LCMScheduler")
    device, listener = DeviceSettings(device="cpu"), Listener()
    given = PaintSettings(str(tiny_copy.painter), num_inference_steps=8, guidance_scale=1.0)
    PainterSpec.resolve(given, device, listener)
    assert listener.said == []
    PainterSpec.resolve(PaintSettings(str(tiny_copy.painter)), device, listener)
    [said] = listener.said
    assert "is made for few steps (its scheduler is LCMScheduler)" in said
    assert "4 steps and guidance 1" in said


def test_a_guidance_embedding_is_what_diffusers_makes(distilled: Path) -> None:
    prompts = [Prompt("a pine tree"), Prompt("a lake")]
    painter = Painter.from_pretrained(str(distilled), device="cpu")
    assert (painter.settings.num_inference_steps, painter.settings.guidance_scale) == (4, 8.5)
    pipeline = StableDiffusionPipeline(**painter.pipeline.components, requires_safety_checker=False)
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(
        [prompt.text for prompt in prompts],
        num_inference_steps=4,
        guidance_scale=8.5,
        generator=[torch.Generator().manual_seed(seed) for seed in (7, 8)],
        output_type="latent",
    ).images
    ours = denoise(painter, prompts, [7, 8])
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-4)
    other = Painter.from_pretrained(str(distilled), device="cpu", guidance_scale=2.0)
    assert not torch.allclose(denoise(other, prompts, [7, 8]), ours, atol=1e-3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"negative_prompt": "people"}, "--negative-prompt has no effect: .* as an input"),
        ({"guidance_end": 0.8}, "--guidance-start and --guidance-end have no effect: .*preset"),
    ],
)
def test_what_embedded_guidance_cannot_do_is_refused(
    distilled: Path, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        completed(distilled, **settings)


def test_more_steps_than_a_consistency_model_has_are_refused(tiny_copy: Tiny) -> None:
    folder = tiny_copy.painter
    assert completed(folder, scheduler="lcm").num_inference_steps == 50
    with pytest.raises(UsageError, match="--steps 51: LCMScheduler makes 50 steps at most"):
        completed(folder, scheduler="lcm", num_inference_steps=51)
    change(
        folder / "scheduler/scheduler_config.json",
        _class_name="TCDScheduler",
        original_inference_steps=20,
    )
    with pytest.raises(UsageError, match="--steps 21: TCDScheduler makes 20 steps at most"):
        completed(folder, num_inference_steps=21)
    assert completed(folder, scheduler="ddim", num_inference_steps=21).scheduler == "ddim"
