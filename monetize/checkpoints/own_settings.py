"""A checkpoint's own size, scheduler, steps and guidance, from its configuration; no torch."""

from dataclasses import dataclass, replace
from typing import Any

from monetize.checkpoints.configs import check_configs, read_config
from monetize.checkpoints.painting_size import complete_size
from monetize.checkpoints.resolve import Checkpoint
from monetize.errors import UsageError
from monetize.settings import SCHEDULERS, PaintSettings

CONSISTENCY = ("LCMScheduler", "TCDScheduler")
EULER = ("EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler")
ORIGINAL_STEPS = 50  # of consistency models, where the configuration has none


@dataclass(frozen=True)
class FewSteps:
    """The steps and guidance of a checkpoint that is distilled to need few steps, and how it shows.

    `embeds_guidance` is whether the UNet takes the guidance scale as an input, in place of a second
    evaluation.
    """

    num_inference_steps: int
    guidance_scale: float
    sign: str
    embeds_guidance: bool = False


def few_steps(checkpoint: Checkpoint) -> FewSteps | None:
    """Tell by its configuration whether a checkpoint is distilled; None if it is not.

    The numbers are the defaults of diffusers' LatentConsistencyModelPipeline, and what the model
    cards of LCM, TCD and SD-Turbo recommend.
    """
    unet = read_config(checkpoint, "unet/config.json")
    scheduler = read_config(checkpoint, "scheduler/scheduler_config.json")
    if unet.get("time_cond_proj_dim"):
        return FewSteps(4, 8.5, "it takes the guidance scale as an input", embeds_guidance=True)
    kind = scheduler.get("_class_name")
    if kind in CONSISTENCY:
        return FewSteps(4, 1.0, f"its scheduler is {kind}")
    # As in SD-Turbo. With noise of no signal, trailing is usual for other models, too.
    trailing = scheduler.get("timestep_spacing") == "trailing"
    if kind in EULER and trailing and not scheduler.get("rescale_betas_zero_snr"):
        return FewSteps(4, 1.0, f"its scheduler is {kind} with trailing timesteps")
    return None


def complete_settings(checkpoint: Checkpoint, settings: PaintSettings) -> PaintSettings:
    """Fill in the checkpoint's own size, scheduler, steps and guidance where they are None.

    Reads only configuration files. A scheduler that has no name here stays None. Raises
    UsageError for a size or a number of steps that the checkpoint cannot paint, and for settings
    that have no effect on it.
    """
    check_configs(checkpoint)
    scheduler = read_config(checkpoint, "scheduler/scheduler_config.json")
    names = {kind: name for name, kind in SCHEDULERS.items()}
    few = few_steps(checkpoint)
    own = few or checkpoint
    complete = replace(
        settings,
        size=complete_size(checkpoint, settings.size),
        scheduler=settings.scheduler or names.get(str(scheduler.get("_class_name"))),
        num_inference_steps=settings.num_inference_steps or own.num_inference_steps,
        guidance_scale=(
            own.guidance_scale if settings.guidance_scale is None else settings.guidance_scale
        ),
    )
    _check_consistency_steps(complete, scheduler)
    if few and few.embeds_guidance:
        _check_embedded_guidance(checkpoint, complete)
    return complete


def _check_consistency_steps(settings: PaintSettings, scheduler: dict[str, Any]) -> None:
    """Raise UsageError for more steps than a consistency model was distilled with."""
    own = str(scheduler.get("_class_name"))
    kind = SCHEDULERS[settings.scheduler] if settings.scheduler else own
    limit = scheduler.get("original_inference_steps", ORIGINAL_STEPS)
    steps = settings.num_inference_steps
    if kind in CONSISTENCY and isinstance(limit, int) and steps is not None and steps > limit:
        raise UsageError(
            f"--steps {steps}: {kind} makes {limit} steps at most, and is made for 4 to 8"
        )


def _check_embedded_guidance(checkpoint: Checkpoint, settings: PaintSettings) -> None:
    """Raise UsageError for settings of a second evaluation, which is not made."""
    why = f"{checkpoint.name} takes the guidance scale as an input, without a second evaluation"
    if settings.negative_prompt:
        raise UsageError(f"--negative-prompt has no effect: {why}. Leave it out.")
    if (settings.guidance_start, settings.guidance_end) != (0, 1):
        raise UsageError(
            f"--guidance-start and --guidance-end have no effect: {why}. Leave them out, or "
            "the preset that sets them."
        )
