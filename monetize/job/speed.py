"""How long a chunk of paintings takes with given settings, measured on this machine.

A chunk takes a fixed time plus a time for each forward pass of the UNet; a guided evaluation is two
passes, an unguided one is one.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from monetize.painting.timesteps import num_evaluations
from monetize.settings import PaintSettings


def passes(settings: PaintSettings) -> int:
    """How many forward passes of the UNet an image takes with these complete settings."""
    assert settings.guidance_scale is not None
    evaluations = num_evaluations(settings)
    guided = sum(
        settings.guidance_start <= i / evaluations < settings.guidance_end
        for i in range(evaluations)
    )
    return evaluations + (guided if settings.guidance_scale > 1 else 0)


@dataclass
class Speed:
    """How long a chunk takes: fixed seconds, and seconds per pass."""

    fixed: float
    a_pass: float

    def seconds(self, settings: PaintSettings) -> float:
        """Seconds for a chunk with these complete settings."""
        return self.fixed + self.a_pass * passes(settings)

    @classmethod
    def measure(cls, paint: Callable[[PaintSettings], object], settings: PaintSettings) -> "Speed":
        """Time `paint`, which paints a chunk from noise, with 2 steps and with 6 for a few seconds.

        What paintings from photos take in addition, less than a decoding, `Deadline.took` learns.
        """
        few, more = (
            replace(settings, num_inference_steps=steps, strength=None) for steps in (2, 6)
        )
        paint(few)  # the first is slower
        times: dict[PaintSettings, list[float]] = {few: [], more: []}
        begin = time.monotonic()
        while not times[more] or (time.monotonic() - begin < 2 and len(times[more]) < 10):
            for each, taken in times.items():
                start = time.monotonic()
                paint(each)
                taken.append(time.monotonic() - start)
        short, long = (sum(taken) / len(taken) for taken in times.values())
        a_pass = max(0.0, long - short) / (passes(more) - passes(few))
        return cls(max(0.0, short - a_pass * passes(few)), a_pass)
