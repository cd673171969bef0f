"""`--time-budget`: as many evaluations as the time allows, measured here, watched to the end.

A chunk of paintings takes a fixed time and a time for each pass of the unet; an evaluation is two
passes where it is guided, else one. Both times are measured before the job begins and corrected by
every chunk that is painted.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from monetize.durations import format_duration
from monetize.errors import PaintingError, UsageError
from monetize.messages import counted
from monetize.progress import Reporter
from monetize.settings import PaintSettings

# With fewer no scheduler makes a picture: a plan does not begin there.
FEWEST_STEPS = 8
# Where guidance matters most (arXiv 2404.07724 has noise of deviation 0.28 to 5.42).
GUIDANCE_INTERVAL = (0.2, 0.9)
# Of the budget, and seconds beside it, for packing, checking and what cannot be foreseen. Of those
# a photo, packing takes 0.0005 and checking 0.0015 on one core, here; others are slower.
RESERVE, RESERVE_SECONDS = 0.02, 1.5
RESERVE_PER_PHOTO = 0.003
# Of the time left, what a plan fills, so that it need not be changed for every slower chunk.
FILLED = 0.95
# How much the latest chunk counts in the correction of what was measured at first.
LATEST = 0.3


def passes(settings: PaintSettings) -> int:
    """How many times the unet sees a picture with these complete settings."""
    assert settings.num_inference_steps and settings.guidance_scale is not None
    evaluations = settings.num_inference_steps + (settings.scheduler == "pndm")
    guided = sum(
        settings.guidance_start <= i / evaluations < settings.guidance_end
        for i in range(evaluations)
    )
    return evaluations + (guided if settings.guidance_scale > 1 else 0)


@dataclass
class Speed:
    """Seconds that a chunk takes: fixed ones, and so many a pass."""

    fixed: float
    a_pass: float

    def seconds(self, settings: PaintSettings) -> float:
        """For a chunk with these complete settings."""
        return self.fixed + self.a_pass * passes(settings)

    @classmethod
    def measure(cls, paint: Callable[[PaintSettings], object], settings: PaintSettings) -> "Speed":
        """Time `paint`, which paints a chunk, with 2 steps and with 6 for a few seconds."""
        few, more = (replace(settings, num_inference_steps=steps) for steps in (2, 6))
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


class Deadline:
    """The end of a job's time, and the settings of its next chunk that keep it.

    `photos` are those of the whole job, `chunks` those still to paint, `devices` how many paint at
    once.
    """

    def __init__(
        self,
        budget: float,
        speed: Speed,
        settings: PaintSettings,
        *,
        photos: int,
        chunks: int,
        begin: float,
        devices: int = 1,
        approximate: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.budget = budget
        self.speed = speed
        self.settings = settings
        self.planned = settings
        self.announced = False
        self._photos = photos
        self._chunks = chunks
        self._begin = begin
        self._devices = devices
        self._approximate = approximate
        self._clock = clock

    def plan(self, captions_left: float, reporter: Reporter, chunks: int | None = None) -> None:
        """Choose the steps with so many seconds of captioning to come, and say so.

        `chunks` tells how many are to be painted, where that is known better by now. Raises
        UsageError with the smallest possible budget if not even the fewest steps fit.
        """
        self._chunks = self._chunks if chunks is None else chunks
        before = self.planned if self.announced else None
        self.announced = True
        fewest = self._with_steps(self._least())
        if self._needed(fewest, captions_left) > self._left():
            raise UsageError(self._too_short(fewest, captions_left))
        self.planned = self._fitting(self._least(), self._left() - captions_left, self._chunks)
        if self.planned == before:
            return
        now = self._clock()
        end = now + self._needed(self.planned, captions_left)
        reporter.say(
            f"Plan: {_described(self.planned, self.settings)}, done about {_time(end - now)}; "
            f"the deadline is {_time(self._begin + self.budget - now)}"
        )

    def next(self, chunks: int, in_flight: int, reporter: Reporter) -> PaintSettings:
        """Settings for a chunk, the first of so many to send, with others being painted now.

        What is left gets fewer evaluations, and the reporter is told, when it is behind the plan.
        Raises PaintingError if no time is left even for one evaluation each.
        """
        left = self._left()
        if self._seconds(self.planned, chunks + in_flight) <= left:
            return self.planned
        lower = self._fitting(1, left, chunks + in_flight)
        if self._seconds(lower, chunks + in_flight) > left:
            raise PaintingError(
                f"The time budget of {format_duration(self.budget)} is used up with "
                f"{counted(chunks, 'chunk')} of paintings to go"
            )
        if lower.num_inference_steps != self.planned.num_inference_steps:
            reporter.warn(
                f"behind the plan: what is left gets {_described(lower, self.settings)} to be done "
                "in time"
            )
        self.planned = lower
        return lower

    def took(self, settings: PaintSettings, seconds: float) -> None:
        """Learn from a chunk painted with these settings."""
        factor = 1 + LATEST * (seconds / max(self.speed.seconds(settings), 1e-9) - 1)
        self.speed = Speed(self.speed.fixed * factor, self.speed.a_pass * factor)

    def _left(self) -> float:
        """Seconds until everything must be painted."""
        reserve = self.budget * RESERVE + RESERVE_SECONDS + RESERVE_PER_PHOTO * self._photos
        return self._begin + self.budget - reserve - self._clock()

    def _seconds(self, settings: PaintSettings, chunks: int) -> float:
        return self.speed.seconds(settings) * -(-chunks // self._devices)

    def _needed(self, settings: PaintSettings, captions_left: float) -> float:
        return captions_left + self._seconds(settings, self._chunks)

    def _least(self) -> int:
        return min(FEWEST_STEPS, self.settings.num_inference_steps or FEWEST_STEPS)

    def _with_steps(self, steps: int, *, exactly: bool = False) -> PaintSettings:
        """So many steps, with the cheapest guidance that is allowed unless exactly as asked."""
        start, end = self.settings.guidance_start, self.settings.guidance_end
        if self._approximate and not exactly:
            start, end = max(start, GUIDANCE_INTERVAL[0]), min(end, GUIDANCE_INTERVAL[1])
            if start >= end:  # what was asked for lies outside, and is cheap enough
                start, end = self.settings.guidance_start, self.settings.guidance_end
        return replace(
            self.settings, num_inference_steps=steps, guidance_start=start, guidance_end=end
        )

    def _fitting(self, least: int, left: float, chunks: int) -> PaintSettings:
        """The most steps that fit; guidance is as asked if all steps fit with it."""
        asked = self.settings.num_inference_steps
        assert asked
        for exactly in (True, False):
            for steps in range(asked, least - 1, -1):
                settings = self._with_steps(steps, exactly=exactly)
                fits = self._seconds(settings, chunks) <= FILLED * left
                if fits and (steps == asked or not exactly):
                    return settings
        return self._with_steps(least)

    def _too_short(self, fewest: PaintSettings, captions_left: float) -> str:
        elapsed = self._clock() - self._begin
        needed = elapsed + self._needed(fewest, captions_left)
        # A twentieth more, as the next measurement will differ.
        fixed = RESERVE_SECONDS + RESERVE_PER_PHOTO * self._photos
        smallest = 1.05 * (needed + fixed) / (1 - RESERVE)
        cheaper = "" if self._approximate else " (--allow-approximate needs a little less)"
        return (
            f"--time-budget {format_duration(self.budget)} is too short for "
            f"{counted(self._photos, 'photo')} here: with {fewest.num_inference_steps} steps, the "
            f"fewest that make a picture, it takes about --time-budget "
            f"{format_duration(smallest)}{cheaper}"
        )


def _described(settings: PaintSettings, asked: PaintSettings) -> str:
    steps = settings.num_inference_steps
    as_asked = steps == asked.num_inference_steps
    text = counted(steps or 0, "step")
    text += " as asked" if as_asked else f" in place of {asked.num_inference_steps}"
    start, end = settings.guidance_start, settings.guidance_end
    if (start, end) != (asked.guidance_start, asked.guidance_end):
        text += f", guided from {start:.0%} to {end:.0%} of them"
    return text


def _time(seconds: float) -> str:
    """The time of day in so many seconds."""
    return time.strftime("%H:%M:%S", time.localtime(time.time() + seconds))
