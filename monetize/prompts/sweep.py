"""Sweeps: the syntax of `--sweep`, and the grid of prompts and seeds with varying weights."""

import decimal
import math
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path

from monetize.errors import UsageError
from monetize.prompts.prompt import Prompt
from monetize.prompts.syntax import PLAIN
from monetize.prompts.weights import Weight, format_number
from monetize.prompts.words import fold

SWEEP_FORM = "write WORD=START:STOP:STEP, such as pine=-2:2:1, or seed=START:STOP"
SEEDS = re.compile(r"\s*seed\s*=\s*(\d+)\s*:\s*(\d+)\s*", re.ASCII)
MAX_SEED_DIGITS = 20
MAX_PICTURES = 100  # of a sweep, and of sheets with --heatmap


@dataclass(frozen=True)
class Sweep:
    """The weights that a word, phrase or position takes in turn; `text` is the flag's value."""

    phrase: str
    values: tuple[float, ...]
    text: str

    @property
    def weights(self) -> tuple[Weight, ...]:
        """A weight for each value."""
        return tuple(Weight(self.phrase, value) for value in self.values)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class SeedSweep:
    """The seeds that a prompt is painted from in turn; `text` is the flag's value."""

    seeds: range
    text: str

    def __str__(self) -> str:
        return self.text


AnySweep = Sweep | SeedSweep
Step = Weight | int
"""What one picture of a sweep has: a weight, or a seed."""


def parse_sweep(text: str) -> AnySweep:
    """Parse `pine=-2:2:1` as the weights -2, -1, 0, 1 and 2, and `seed=1:4` as four seeds.

    STOP is included if a step hits it. Two numbers are seeds, so that the weights of the word seed
    can be swept with three. Counts in decimals, so that 0:1:0.1 has eleven weights, 0.3 among them.
    Raises UsageError for any other text, for steps that never reach STOP, and for too many
    pictures.
    """
    if match := SEEDS.fullmatch(text):
        return _parse_seeds(text, *match.groups())
    phrase, _, numbers = text.rpartition("=")
    phrase = " ".join(phrase.split())
    try:
        start, stop, step = (Decimal(number) for number in numbers.split(":"))
    except (ValueError, decimal.InvalidOperation):
        raise UsageError(f"{text!r} is not a sweep: {SWEEP_FORM}") from None
    finite = all(each.is_finite() and math.isfinite(each) for each in (start, stop, step))
    if not phrase or not finite:
        raise UsageError(f"{text!r} is not a sweep: {SWEEP_FORM}")
    if step == 0:
        raise UsageError(f"{text!r}: the step must not be 0: {SWEEP_FORM}")
    if (stop - start) * step < 0:
        raise UsageError(f"{text!r}: steps of {step} never reach {stop}: use {-step} as the step")
    if abs(stop - start) >= abs(step) * MAX_PICTURES:
        raise UsageError(
            f"{text!r}: more than {MAX_PICTURES} pictures: use a larger step than {step}"
        )
    count = int((stop - start) / step) + 1
    # Adding 0.0 turns -0 into 0.
    values = tuple(float(start + i * step) + 0.0 for i in range(count))
    return Sweep(phrase, values, f"{phrase}={numbers}")


def _parse_seeds(text: str, start: str, stop: str) -> SeedSweep:
    if len(start) > MAX_SEED_DIGITS or len(stop) > MAX_SEED_DIGITS:
        raise UsageError(f"{text!r}: a seed has {MAX_SEED_DIGITS} digits at most")
    seeds = range(int(start), int(stop) + 1)
    if not seeds:
        raise UsageError(f"{text!r}: the last seed is before the first: use seed={stop}:{start}")
    if len(seeds) > MAX_PICTURES:
        raise UsageError(f"{text!r}: more than {MAX_PICTURES} pictures: use fewer seeds")
    return SeedSweep(seeds, f"seed={seeds[0]}:{seeds[-1]}")


MAX_PHRASE_LENGTH = 20  # characters, in a file name


@dataclass(frozen=True)
class Grid:
    """A picture for each combination of the steps of one or two sweeps, row by row.

    The first sweep makes the columns, the second the rows. `fixed` weights are in every prompt, and
    `seed` is that of every picture unless seeds are swept.
    """

    text: str
    fixed: tuple[Weight, ...]
    sweeps: tuple[AnySweep, ...]
    seed: int = 0
    syntax: str = PLAIN

    def __post_init__(self) -> None:
        if len(self.sweeps) > 2:
            raise UsageError("--sweep is given more than twice: a sheet has only columns and rows")
        phrases = [fold(sweep.phrase) for sweep in self.weight_sweeps]
        if len(set(phrases)) < len(phrases):
            raise UsageError(f"--sweep {self.weight_sweeps[0].phrase!r} is given more than once")
        if len(self.sweeps) - len(phrases) > 1:
            raise UsageError("--sweep seed is given more than once")
        for weight in self.fixed:
            if fold(weight.phrase) in phrases:
                raise UsageError(
                    f"--weight {str(weight)!r}: {weight.phrase!r} is swept too: remove --weight or "
                    "--sweep"
                )
        if len(self.varied) > MAX_PICTURES:
            sizes = " × ".join(str(len(steps_of(sweep))) for sweep in self.sweeps)
            raise UsageError(
                f"--sweep: {sizes} is more than {MAX_PICTURES} pictures: use larger steps"
            )

    @property
    def weight_sweeps(self) -> tuple[Sweep, ...]:
        """The sweeps of weights."""
        return tuple(sweep for sweep in self.sweeps if isinstance(sweep, Sweep))

    @property
    def sweeps_seeds(self) -> bool:
        """Whether the pictures have several seeds."""
        return len(self.weight_sweeps) < len(self.sweeps)

    @property
    def varied(self) -> list[tuple[Step, ...]]:
        """What is swept of each picture, row by row."""
        columns, *rows = map(steps_of, self.sweeps)
        if not rows:
            return [(column,) for column in columns]
        return [(column, row) for row in rows[0] for column in columns]

    @property
    def pictures(self) -> list[tuple[Prompt, int]]:
        """The prompt and the seed of each picture, row by row."""
        return [
            (
                replace(
                    self.base,
                    weights=self.fixed + tuple(s for s in steps if isinstance(s, Weight)),
                ),
                next((step for step in steps if isinstance(step, int)), self.seed),
            )
            for steps in self.varied
        ]

    @cached_property
    def base(self) -> Prompt:
        """The prompt with the fixed weights only."""
        return Prompt.parse(self.text, self.fixed, self.syntax)

    def picture_paths(self, output: Path) -> list[Path]:
        """Return a file next to output for each picture: sheet_pine=-2_sun=0.5.png."""
        names = ["_".join(map(_file_name_part, varied)) for varied in self.varied]
        return [output.with_name(f"{output.stem}_{name}{output.suffix}") for name in names]


def steps_of(sweep: AnySweep) -> tuple[Step, ...]:
    """Return what the pictures of a sweep have in turn: weights, or seeds."""
    return sweep.weights if isinstance(sweep, Sweep) else tuple(sweep.seeds)


def _file_name_part(step: Step) -> str:
    """Return a weight or a seed as part of a file name."""
    if isinstance(step, int):
        return f"seed={step}"
    phrase = re.sub(r"[^\w@]+", "-", step.phrase)[:MAX_PHRASE_LENGTH]
    return f"{phrase}={format_number(step.value)}"
