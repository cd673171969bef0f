"""The noise that stochastic schedulers add in each step, from each image's own seed."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import SchedulerMixin
from torch import Tensor

from monetize.devices import send
from monetize.painting.latents import SeededNoise

DRAW = "randn_tensor"


@contextmanager
def own_step_noise(
    scheduler: SchedulerMixin, noise: SeededNoise, device: torch.device
) -> Iterator[None]:
    """Let a scheduler's steps draw from `noise` inside the block, and without waiting.

    diffusers' own function takes generators, too, but waits for the device to take their noise.
    """
    # DPM++ SDE draws by torchsde, with a seed for each image.
    if hasattr(scheduler, "noise_sampler_seed"):
        scheduler.noise_sampler_seed = list(noise.seeds)

    def draw(shape: Sequence[int], *_: object, dtype: torch.dtype, **__: Any) -> Tensor:
        return send(noise.draw(tuple(shape[1:])).to(dtype), device)

    module = vars(sys.modules[scheduler.step.__module__])
    library = module.get(DRAW)
    if library is None:  # of a scheduler without noise
        yield
        return
    module[DRAW] = draw
    try:
        yield
    finally:
        module[DRAW] = library
