"""How many images are painted at once, and whether compiled: decided once for a whole job.

The last bits of a painting depend on its batch and on the kernels. A measurement may come out
differently the next time, so a job keeps the decision and passes it to each of its processes.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from monetize.devices import before_ampere, compute_capability, free_memory, ran_out_of_memory
from monetize.image_sizes import FIT
from monetize.painting.compilation import FEWEST_TO_COMPILE, pays, variants
from monetize.painting.latents import IMAGES_AT_ONCE
from monetize.painting.painter import Painter
from monetize.painting.timesteps import num_steps
from monetize.progress import Reporter
from monetize.prompts.prompt import Prompt
from monetize.settings import PaintSettings

# Fraction of the free memory to use: the allocator needs some room.
USABLE_MEMORY = 0.9


@dataclass(frozen=True)
class BatchPlan:
    """The decision; it can be kept as JSON by its fields."""

    batch_size: int
    compiled: bool


def decide(
    painter: Painter, most: int, count: int, reporter: Reporter, *, approximate: bool = False
) -> BatchPlan:
    """Decide for `count` paintings on this painter's device, at most `most` at once.

    On CUDA, memory and speed are measured and the decision is reported.
    """
    settings = painter.settings
    if painter.device.type != "cuda":
        return unmeasured_plan(settings, most)
    batch_size = settings.batch_size or fitting_batch_size(painter, most)
    reporter.say(f"Batch size: {batch_size}")
    compiled = settings.compile
    if compiled is None:
        compiled = False
        # Each shape of a photo would be compiled separately.
        worthwhile = count >= FEWEST_TO_COMPILE and not painter.offloads and settings.size != FIT
        if worthwhile and before_ampere(painter.device):
            reporter.say(
                "The model is not compiled: Triton supports compute capability 8.0 and newer, and "
                f"this card has {compute_capability(painter.device)} (--compile tries it)"
            )
        elif worthwhile:
            seconds = _seconds(painter, batch_size) * count / batch_size
            compiled, reason = pays(seconds, len(variants(settings, approximate=approximate)))
            reporter.say(f"The model is {'' if compiled else 'not '}compiled: {reason}")
    return BatchPlan(batch_size, compiled)


def unmeasured_plan(settings: PaintSettings, most: int) -> BatchPlan:
    """What is decided for a device other than CUDA, whose memory and speed are not measured."""
    return BatchPlan(settings.batch_size or most, bool(settings.compile))


def fitting_batch_size(painter: Painter, most: int) -> int:
    """The size of equal batches, `most` images in all, that a CUDA device's memory holds.

    Measured with one step of one image and of two, and by decoding as many as are decoded at once:
    decoding takes more than a step, but not more for a larger batch. 1 if not even that fits.
    """
    if painter.device.type != "cuda" or most == 1:
        return most
    peaks = _measured_peaks(painter, min(most, IMAGES_AT_ONCE["cuda"]))
    free_memory()
    if peaks is None:
        return 1
    free, _ = torch.cuda.mem_get_info(painter.device)
    usable = USABLE_MEMORY * free
    fitting = 1 + int((usable - peaks.first) // max(peaks.second - peaks.first, 1))
    if peaks.decoding > usable or peaks.decoded < min(most, IMAGES_AT_ONCE["cuda"]):
        fitting = min(fitting, int(peaks.decoded * usable / peaks.decoding))
    return math.ceil(most / math.ceil(most / max(1, fitting)))


@dataclass(frozen=True)
class Peaks:
    """Bytes in addition to the weights: of a step of one image and of two, and of decoding some."""

    first: int
    second: int
    decoding: int
    decoded: int


def _measured_peaks(painter: Painter, decoded: int) -> Peaks | None:
    """Measure, decoding fewer where the memory runs out; None if not even one fits."""
    while (peaks := _tried_peaks(painter, decoded)) is None and decoded > 1:
        free_memory()
        decoded //= 2
    return peaks


def _tried_peaks(painter: Painter, decoded: int) -> Peaks | None:
    try:
        latents = _steps(painter, 1)
        return Peaks(
            _peak(painter, lambda: _steps(painter, 1)),
            _peak(painter, lambda: _steps(painter, 2)),
            _peak(painter, lambda: painter.decode(latents.expand(decoded, *latents.shape[1:]))),
            decoded,
        )
    except RuntimeError as error:
        if ran_out_of_memory(error):
            return None
        raise


def _peak(painter: Painter, call: Callable[[], object]) -> int:
    before = torch.cuda.memory_allocated(painter.device)
    torch.cuda.reset_peak_memory_stats(painter.device)
    call()
    return torch.cuda.max_memory_allocated(painter.device) - before


def _steps(painter: Painter, batch_size: int, steps: int = 1) -> Tensor:
    """Latents of empty prompts."""
    requests = [painter.request(Prompt(""), seed) for seed in range(batch_size)]
    settings = replace(painter.settings, num_inference_steps=steps, strength=None)
    return painter.denoise(requests, settings)


def _seconds(painter: Painter, batch_size: int) -> float:
    """Seconds that the steps of a batch take, by the difference of two short ones."""
    times = []
    for steps in (1, 1, 3):  # the first is slower
        begin = time.monotonic()
        _steps(painter, batch_size, steps).sum().item()  # which waits for the device
        times.append(time.monotonic() - begin)
    return (times[2] - times[1]) / 2 * num_steps(painter.settings)
