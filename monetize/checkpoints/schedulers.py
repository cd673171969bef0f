"""Loading a checkpoint's scheduler, or another one with its values."""

import inspect
from typing import Any

import diffusers
import torch
from diffusers import SchedulerMixin
from diffusers.schedulers import KarrasDiffusionSchedulers

from monetize.checkpoints.configs import read_config
from monetize.checkpoints.resolve import Checkpoint
from monetize.checkpoints.unipc import UniPCMultistepScheduler
from monetize.errors import CheckpointError
from monetize.settings import SCHEDULERS

# What a checkpoint may name: schedulers for noise of growing variance, and those of distilled
# models.
USABLE = frozenset([*KarrasDiffusionSchedulers.__members__, "LCMScheduler", "TCDScheduler"])
# These replace diffusers' own.
OURS: dict[str, type] = {"UniPCMultistepScheduler": UniPCMultistepScheduler}
NEEDS_TORCHSDE = "DPMSolverSDEScheduler"


def load_scheduler(checkpoint: Checkpoint, name: str | None) -> SchedulerMixin:
    """Make a scheduler of this name, or the checkpoint's own, with the checkpoint's values."""
    config = read_config(checkpoint, "scheduler/scheduler_config.json")
    # What the pipeline would set, with a warning, where a configuration leaves it out.
    config = {"clip_sample": False, "steps_offset": 1, **config}
    if name == "pndm":
        # As in Stable Diffusion; the Runge-Kutta steps of PNDM fail with few steps.
        config.setdefault("skip_prk_steps", True)
    kind = scheduler_class(checkpoint, SCHEDULERS[name] if name else config.get("_class_name"))
    if not torch.isfinite(_tried(kind.from_config(config))).all():
        raise CheckpointError(
            f"--model {checkpoint.name}: its scheduler/scheduler_config.json describes noise that "
            "is not a finite number"
        )
    return kind.from_config(config)


def scheduler_class(checkpoint: Checkpoint, name: object) -> Any:
    """Return diffusers' class of this name; raises CheckpointError for one that cannot be used."""
    if not isinstance(name, str) or name not in USABLE:
        raise CheckpointError(
            f"--model {checkpoint.name}: its scheduler {name} is not one for Stable Diffusion: "
            f"choose --scheduler {', '.join(SCHEDULERS)}"
        )
    if name == NEEDS_TORCHSDE and not diffusers.utils.is_torchsde_available():
        raise CheckpointError(
            f"--model {checkpoint.name}: its scheduler {name} needs another package: pip install "
            f"torchsde, or choose --scheduler {', '.join(SCHEDULERS)}"
        )
    return OURS.get(name) or getattr(diffusers, name)


def _tried(scheduler: SchedulerMixin) -> torch.Tensor:
    """Make two steps."""
    scheduler.set_timesteps(2)
    sample = torch.ones(1, 4, 8, 8)
    options = {}
    if "generator" in inspect.signature(scheduler.step).parameters:
        options = {"generator": torch.Generator().manual_seed(0)}
    for timestep in scheduler.timesteps:
        noise = scheduler.scale_model_input(sample, timestep)
        sample = scheduler.step(noise, timestep, sample, **options).prev_sample
    return sample
