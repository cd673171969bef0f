"""What the terminal shows: lines and progress bars on standard error, results on standard out."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import click
from tqdm import tqdm

from monetize.messages import counted
from monetize.progress import Reporter, Stage

BAR = (
    "{desc} {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} "
    "[{elapsed}, {remaining} left, {pace}{postfix}]"
)
SECONDS_BETWEEN_LINES = 30
# What stands for a sign where the encoding of a stream lacks it.
PLAIN = {"✓": "ok ", "✗": "NOT", "·": "-", "×": "x"}


def pace(rate: float | None, unit: str) -> str:
    """A rate per second as a person would say it: 4.52 photos/s, 35.9 s a painting."""
    if not rate:
        return f"? {unit}s/s"
    return f"{rate:.2f} {unit}s/s" if rate >= 1 else f"{1 / rate:.1f} s a {unit}"


def encodable(text: str, stream: TextIO | None) -> str:
    """A text as a stream can write it: other signs or escapes where its encoding lacks some."""
    # What stands in for a terminal, in a notebook or a test, may lack both.
    encoding = getattr(stream, "encoding", None) or "utf-8"
    errors = getattr(stream, "errors", None) or "strict"
    for sign, plain in PLAIN.items():
        if sign in text and not _fits(sign, encoding):
            text = text.replace(sign, plain)
    if _fits(text, encoding, errors):
        return text
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _fits(text: str, encoding: str, errors: str = "strict") -> bool:
    try:
        text.encode(encoding, errors)
    except UnicodeEncodeError:
        return False
    return True


class Bar(tqdm):  # type: ignore[misc]
    """A tqdm bar whose rate is worded by `pace`."""

    @property
    def format_dict(self) -> dict[str, Any]:
        """What a bar is made of."""
        values: dict[str, Any] = super().format_dict
        # At its end a bar knows no recent rate and shows that of the whole.
        done, elapsed = values["n"] - values["initial"], values["elapsed"]
        rate = values["rate"] or (done / elapsed if elapsed else None)
        return {**values, "pace": pace(rate, values["unit"])}


class Terminal(Reporter):
    """Draws bars on a terminal; elsewhere writes a plain line now and then."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self._bar: Bar | None = None

    def say(self, text: str) -> None:
        """Show a line unless quiet."""
        if not self.quiet:
            self._write(text, err=True)

    def warn(self, text: str) -> None:
        """Show a warning, quiet or not."""
        self._write(f"Warning: {text}", err=True)

    def result(self, text: str) -> None:
        """Put a line of what was asked for on standard output."""
        self._write(text, err=False)

    def _write(self, text: str, *, err: bool) -> None:
        text = encodable(text, sys.stderr if err else sys.stdout)
        if self._bar is None:
            click.echo(text, err=err)
        else:
            with self._bar.external_write_mode(file=sys.stderr):
                click.echo(text, err=err)

    @contextmanager
    def stage(self, label: str, total: int, unit: str, done: int = 0) -> Iterator[Stage]:
        """Show the progress of a stage with its rate and the time left."""
        if self.quiet:
            yield Stage()
        elif sys.stderr.isatty():
            with Bar(
                desc=label,
                total=total,
                initial=done,
                unit=unit,
                bar_format=BAR,
                file=sys.stderr,
            ) as self._bar:
                try:
                    yield BarStage(self._bar)
                finally:
                    bar, self._bar = self._bar, None
                    bar.set_postfix_str("")
        else:
            stage = LineStage(self, label, total, unit, done)
            yield stage
            stage.end()


class BarStage(Stage):
    """A tqdm bar."""

    def __init__(self, bar: Bar) -> None:
        self.bar = bar
        self.drawn = 0.0

    def advance(self, count: int = 1) -> None:
        """Move the bar."""
        self.bar.set_postfix_str("", refresh=False)
        self.bar.update(count)

    def step(self, text: str) -> None:
        """Show the step behind the bar, but not more often than an eye can follow."""
        now = time.monotonic()
        if now - self.drawn >= self.bar.mininterval:
            self.drawn = now
            self.bar.set_postfix_str(text)


class LineStage(Stage):
    """Plain lines for a log: one at the start, one every half minute, one at the end."""

    def __init__(self, terminal: Terminal, label: str, total: int, unit: str, done: int) -> None:
        self.terminal, self.label, self.total, self.unit = terminal, label, total, unit
        self.initial = self.done = done
        self.started = self.shown = time.monotonic()
        resumed = f", {done} of them done before" if done else ""
        terminal.say(f"{label}: {counted(total, unit)}{resumed}")

    def advance(self, count: int = 1) -> None:
        """Count, and write a line if the last one is old."""
        self.done += count
        if time.monotonic() - self.shown >= SECONDS_BETWEEN_LINES and self.done < self.total:
            self.shown = time.monotonic()
            self.terminal.say(f"{self.label}: {self._meter('{remaining} left, ')}")

    def end(self) -> None:
        """Write the last line."""
        self.terminal.say(f"{self.label}: {self._meter('took {elapsed}, ')}")

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


def quieten_libraries(terminal: Terminal) -> None:
    """Turn off the model libraries' own chatter, unless verbose; before they are imported."""
    level = "warning" if terminal.verbose else "error"
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", level)
    os.environ.setdefault("DIFFUSERS_VERBOSITY", level)
    # transformers otherwise starts a thread that asks the hub for another file format.
    os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")
    if terminal.quiet or not sys.stderr.isatty():
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


def load_libraries(terminal: Terminal) -> None:
    """Import the model libraries, which takes seconds, with their own progress bars off."""
    quieten_libraries(terminal)
    import diffusers
    import transformers

    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
