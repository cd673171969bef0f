"""`--time-budget`: plan as many steps as fit, and adjust them while the job runs.

The speed is measured before the job begins, and every chunk corrects that of the device which
painted it. The plan is lowered when the job falls behind, and raised again when it gains time.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from monetize.durations import format_duration
from monetize.errors import PaintingError, UsageError
from monetize.job.speed import Speed
from monetize.messages import counted
from monetize.painting.timesteps import fewest_steps
from monetize.progress import Reporter
from monetize.settings import PaintSettings

# No scheduler makes a recognizable image with fewer steps, so no plan starts below this.
FEWEST_STEPS = 8
# Where guidance matters most (arXiv 2404.07724: noise with a std of 0.28 to 5.42).
GUIDANCE_INTERVAL = (0.2, 0.9)
# Fraction of the budget and seconds, reserved for packing, checking and surprises. Per photo,
# packing takes 0.0005 s and checking 0.0015 s on one core of the machine this was measured on.
RESERVE, RESERVE_SECONDS = 0.02, 1.5
RESERVE_PER_PHOTO = 0.003
# Fraction of the time left that a plan fills, so that a slower chunk rarely changes it.
FILLED = 0.95
# Weight of the latest chunk in the correction of the measured speed.
LATEST = 0.3
# A plan is raised by at least this many steps, so that it does not change with every chunk.
LEAST_RISE = 2


class Deadline:
    """The end of a job's time budget, and settings for the next chunk that keep it.

    `photos` counts those of the whole job, `chunks` those still to paint, and `devices` those that
    paint at once; until they have painted, all are assumed to have the measured speed. `loading` is
    how many seconds they need before they begin. `begin` is a value of time.monotonic.
    """

    def __init__(
        self,
        budget: float,
        speed: Speed,
        settings: PaintSettings,
        reporter: Reporter,
        *,
        photos: int,
        chunks: int,
        begin: float,
        devices: int = 1,
        loading: float = 0.0,
        approximate: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.budget = budget
        self.settings = settings
        self.planned = settings
        self.announced = False
        self._reporter = reporter
        self._photos = photos
        self._chunks = chunks
        self._begin = begin
        self._speeds = [speed] * devices
        self._loading = loading
        self._approximate = approximate
        self._clock = clock

    def plan(self, captions_left: float, chunks: int | None = None) -> None:
        """Choose and announce the steps, with this many seconds of captioning still to come.

        `chunks` corrects how many are to be painted. Raises UsageError with the smallest possible
        budget if not even the fewest steps fit.
        """
        self._chunks = self._chunks if chunks is None else chunks
        before = self.planned if self.announced else None
        self.announced = True
        fewest = self._with_steps(self._least())
        if self._needed(fewest, captions_left) > self._left():
            raise UsageError(self._too_short(fewest, captions_left))
        self.planned = self._fitting(
            self._least(), self._left() - captions_left - self._loading, self._chunks
        )
        if self.planned == before:
            return
        now = self._clock()
        end = now + self._needed(self.planned, captions_left)
        self._reporter.say(
            f"Plan: {_described(self.planned, self.settings)}, done about {_time(end - now)}; "
            f"the deadline is {_time(self._begin + self.budget - now)}"
        )

    def next(self, chunks: int, in_flight: int) -> PaintSettings:
        """Return settings for the first of `chunks` still to send, while `in_flight` are painted.

        When the job is behind the plan, the rest gets fewer evaluations, with a warning; when it
        has gained time, more. Raises PaintingError if there is no time even for one evaluation
        each.
        """
        left, open_chunks = self._left(), chunks + in_flight
        if self._seconds(self.planned, open_chunks) > left:
            self._lower(chunks, open_chunks, left)
        elif self.planned != self.settings:
            self._raise(open_chunks, left)
        return self.planned

    def _lower(self, chunks: int, open_chunks: int, left: float) -> None:
        lower = self._fitting(fewest_steps(self.settings.strength), left, open_chunks)
        if self._seconds(lower, open_chunks) > left:
            raise PaintingError(
                f"The time budget of {format_duration(self.budget)} is used up with "
                f"{counted(chunks, 'chunk')} of paintings left"
            )
        if lower.num_inference_steps != self.planned.num_inference_steps:
            self._reporter.warn(
                f"behind the plan: the rest gets {_described(lower, self.settings)}, to finish in "
                "time"
            )
        self.planned = lower

    def _raise(self, open_chunks: int, left: float) -> None:
        higher = self._fitting(self._least(), left, open_chunks)
        gained = (higher.num_inference_steps or 0) - (self.planned.num_inference_steps or 0)
        if gained >= LEAST_RISE or (higher == self.settings and gained >= 0):
            self._reporter.say(
                f"ahead of the plan: the rest gets {_described(higher, self.settings)}"
            )
            self.planned = higher

    def took(self, settings: PaintSettings, seconds: float, device: int = 0) -> None:
        """Learn from a chunk that a device painted with these settings."""
        speed = self._speeds[device]
        factor = 1 + LATEST * (seconds / max(speed.seconds(settings), 1e-9) - 1)
        self._speeds[device] = Speed(speed.fixed * factor, speed.a_pass * factor)

    def _left(self) -> float:
        """Seconds until everything must be painted."""
        reserve = self.budget * RESERVE + RESERVE_SECONDS + RESERVE_PER_PHOTO * self._photos
        return self._begin + self.budget - reserve - self._clock()

    def _seconds(self, settings: PaintSettings, chunks: int) -> float:
        """Seconds for chunks of which each goes to the device that finishes it first."""
        each = [max(speed.seconds(settings), 1e-9) for speed in self._speeds]
        at_least = chunks / sum(1 / seconds for seconds in each)
        # Rounding up is left to the loop below, which adds less than a chunk per device.
        shares = [int(at_least / seconds) for seconds in each]
        while sum(shares) < chunks:
            ends = [seconds * (n + 1) for seconds, n in zip(each, shares, strict=True)]
            shares[ends.index(min(ends))] += 1
        return max(seconds * n for seconds, n in zip(each, shares, strict=True))

    def _needed(self, settings: PaintSettings, captions_left: float) -> float:
        return captions_left + self._loading + self._seconds(settings, self._chunks)

    def _least(self) -> int:
        least = min(FEWEST_STEPS, self.settings.num_inference_steps or FEWEST_STEPS)
        return max(least, fewest_steps(self.settings.strength))

    def _with_steps(self, steps: int, *, exactly: bool = False) -> PaintSettings:
        """Settings with this many steps, and the cheapest guidance allowed unless `exactly`."""
        start, end = self.settings.guidance_start, self.settings.guidance_end
        if self._approximate and not exactly:
            start, end = max(start, GUIDANCE_INTERVAL[0]), min(end, GUIDANCE_INTERVAL[1])
            if start >= end:  # the requested interval lies outside, and is cheap enough
                start, end = self.settings.guidance_start, self.settings.guidance_end
        return replace(
            self.settings, num_inference_steps=steps, guidance_start=start, guidance_end=end
        )

    def _fitting(self, least: int, left: float, chunks: int) -> PaintSettings:
        """Settings with the most steps that fit; guidance as requested if all steps fit with it."""
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
        # 5% more, as the next measurement will differ.
        fixed = RESERVE_SECONDS + RESERVE_PER_PHOTO * self._photos
        smallest = 1.05 * (needed + fixed) / (1 - RESERVE)
        over = f", {format_duration(elapsed)} of which are over" if elapsed > 60 else ""
        cheaper = "" if self._approximate else " (--allow-approximate needs a little less)"
        return (
            f"--time-budget {format_duration(self.budget)} is too short for "
            f"{counted(self._photos, 'photo')} here: with {fewest.num_inference_steps} steps, the "
            f"fewest that make a picture, they take about {format_duration(smallest)}{over}: give "
            f"--time-budget {format_duration(smallest)} or more{cheaper}"
        )


def _described(settings: PaintSettings, asked: PaintSettings) -> str:
    steps = settings.num_inference_steps
    as_asked = steps == asked.num_inference_steps
    text = counted(steps or 0, "step")
    text += " as requested" if as_asked else f" instead of {asked.num_inference_steps}"
    start, end = settings.guidance_start, settings.guidance_end
    if (start, end) != (asked.guidance_start, asked.guidance_end):
        text += f", guided from {start:.0%} to {end:.0%} of them"
    return text


def _time(seconds: float) -> str:
    """The time of day this many seconds from now, with the date unless that is today."""
    now = time.time()
    then, today = time.localtime(now + seconds), time.localtime(now)
    is_today = (then.tm_year, then.tm_yday) == (today.tm_year, today.tm_yday)
    return time.strftime("%H:%M:%S" if is_today else "%Y-%m-%d %H:%M", then)
