"""Which timesteps a painting is evaluated at: all of them from noise, the last ones from a photo.

`strength` means what it means in diffusers: a painting that starts from a photo takes the last
int(steps × strength) steps. Two things differ from diffusers 0.42.1, where they make an exactly
known distribution too wide or too narrow. PNDM's list of timesteps repeats the second one, so a
slice of it begins one timestep too early and loses the repetition: here the list is sliced without
the repetition, and then the second of the remaining timesteps is repeated. LMS takes its order from
the index of a step, not from the number of steps already taken (huggingface/diffusers, issue 5630):
see `step_options`.
"""

import math
from typing import Any

from diffusers import LMSDiscreteScheduler, PNDMScheduler, SchedulerMixin
from torch import Tensor

from monetize.errors import UsageError
from monetize.messages import counted
from monetize.settings import PaintSettings

LMS_ORDER = 4


def num_steps(settings: PaintSettings) -> int:
    """How many steps are made with these complete settings; 0 if the strength is too small."""
    assert settings.num_inference_steps is not None  # the settings are complete
    return int(settings.num_inference_steps * (settings.strength or 1))


def num_evaluations(settings: PaintSettings) -> int:
    """How many times the UNet is evaluated with these settings.

    PNDM repeats the second step, and Heun evaluates all but the last twice.
    """
    steps = num_steps(settings)
    if settings.scheduler == "heun":
        return max(0, 2 * steps - 1)
    return steps + (settings.scheduler == "pndm" and steps > 1)


def fewest_steps(strength: float | None) -> int:
    """The smallest number of inference steps of which at least one is made."""
    fewest = math.ceil(1 / (strength or 1))
    return fewest if int(fewest * (strength or 1)) else fewest + 1


def check_steps(settings: PaintSettings) -> None:
    """Raise UsageError if the strength of complete settings leaves no step to make."""
    if num_steps(settings) == 0:
        steps, strength = settings.num_inference_steps or 0, settings.strength
        raise UsageError(
            f"--strength {strength} with {counted(steps, 'step')}: {steps} × {strength} is less "
            f"than one step: use --steps {fewest_steps(strength)} or more, or a greater --strength"
        )


def set_timesteps(scheduler: SchedulerMixin, settings: PaintSettings) -> Tensor:
    """Prepare a scheduler for complete settings; returns the timesteps to evaluate, on the CPU."""
    scheduler.set_timesteps(settings.num_inference_steps)
    timesteps: Tensor = scheduler.timesteps
    if settings.strength is None:
        return timesteps
    check_steps(settings)
    kept = num_steps(settings)
    if isinstance(scheduler, PNDMScheduler):
        return _pndm_timesteps(scheduler, kept)
    assert settings.num_inference_steps is not None
    begin = (settings.num_inference_steps - kept) * scheduler.order
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(begin)
    return timesteps[begin:]


def step_options(scheduler: SchedulerMixin, i: int) -> dict[str, Any]:
    """Further arguments for a scheduler's step number i, counted from the first that is made."""
    if isinstance(scheduler, LMSDiscreteScheduler):
        return {"order": min(LMS_ORDER, i + 1)}
    return {}


def _pndm_timesteps(scheduler: PNDMScheduler, kept: int) -> Tensor:
    if not scheduler.config.skip_prk_steps:
        raise UsageError(
            "--strength does not work with the Runge-Kutta steps of this checkpoint's PNDM "
            "scheduler: use --scheduler ddim, for example"
        )
    timesteps: Tensor = scheduler.timesteps.unique().flip(0)[-kept:]
    return timesteps.repeat_interleave(timesteps.new_tensor([1, 2, *[1] * kept][:kept]))
