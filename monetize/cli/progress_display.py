"""The progress of a stage: a bar on a terminal, plain lines in a log."""

import time
from collections.abc import Callable
from typing import Any, TextIO

from tqdm import tqdm

from monetize.messages import counted
from monetize.progress import Stage

BAR = (
    "{desc} {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} "
    "[{elapsed}, {remaining} left, {pace}{postfix}]"
)
SECONDS_BETWEEN_LINES = 30


def pace(rate: float | None, unit: str) -> str:
    """A rate per second in the form people use: 4.52 photos/s, 35.9 s per painting."""
    if not rate:
        return f"? {unit}s/s"
    return f"{rate:.2f} {unit}s/s" if rate >= 1 else f"{1 / rate:.1f} s per {unit}"


class Bar(tqdm):  # type: ignore[misc]
    """A tqdm bar that shows its rate in the form of `pace`."""

    @property
    def format_dict(self) -> dict[str, Any]:
        """The values that the bar is formatted from."""
        values: dict[str, Any] = super().format_dict
        # A finished bar has no recent rate; it shows the average.
        done, elapsed = values["n"] - values["initial"], values["elapsed"]
        rate = values["rate"] or (done / elapsed if elapsed else None)
        return {**values, "pace": pace(rate, values["unit"])}


class BarStage(Stage):
    """A stage as a tqdm bar."""

    def __init__(self, label: str, total: int, unit: str, done: int, stream: TextIO) -> None:
        self.bar = Bar(
            desc=label, total=total, initial=done, unit=unit, bar_format=BAR, file=stream
        )
        self._drawn = 0.0

    def advance(self, count: int = 1) -> None:
        """Move the bar."""
        self.bar.set_postfix_str("", refresh=False)
        self.bar.update(count)

    def step(self, text: str) -> None:
        """Show the step after the bar, at most as often as the bar is drawn."""
        now = time.monotonic()
        if now - self._drawn >= self.bar.mininterval:
            self._drawn = now
            self.bar.set_postfix_str(text)

    def end(self) -> None:
        """Leave the bar on the screen, without a step."""
        self.bar.set_postfix_str("")
        self.bar.close()


class LineStage(Stage):
    """Plain lines: one at the start, one every half minute, one at the end."""

    def __init__(
        self, label: str, total: int, unit: str, done: int, say: Callable[[str], None]
    ) -> None:
        self.label, self.total, self.unit, self._say = label, total, unit, say
        self.initial = self.done = done
        self.started = self.shown = time.monotonic()
        resumed = f", {done} of them already done" if done else ""
        say(f"{label}: {counted(total, unit)}{resumed}")

    def advance(self, count: int = 1) -> None:
        """Count, and write a line if the last one is old."""
        self.done += count
        if time.monotonic() - self.shown >= SECONDS_BETWEEN_LINES and self.done < self.total:
            self.shown = time.monotonic()
            self._say(f"{self.label}: {self._meter('{remaining} left, ')}")

    def end(self) -> None:
        """Write the last line."""
        self._say(f"{self.label}: {self._meter('took {elapsed}, ')}")

    def _meter(self, time_format: str) -> str:
        elapsed = time.monotonic() - self.started
        text: str = tqdm.format_meter(
            self.done,
            self.total,
            elapsed,
            initial=self.initial,
            bar_format="{n_fmt}/{total_fmt}, " + time_format + "{pace}",
            pace=pace((self.done - self.initial) / elapsed, self.unit),
        )
        return text
