"""Sweeps: the syntax of `--sweep`, and the grid of prompts with varying weights."""

import decimal
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from monetize.errors import UsageError
from monetize.prompts.prompt import Prompt
from monetize.prompts.weights import Weight, format_number
from monetize.prompts.words import fold

SWEEP_FORM = "write WORD=START:STOP:STEP, such as pine=-2:2:1"
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


def parse_sweep(text: str) -> Sweep:
    """Parse `pine=-2:2:1` as the weights -2, -1, 0, 1 and 2; STOP is included if a step hits it.

    Counts in decimals, so that 0:1:0.1 has eleven weights, 0.3 among them. Raises UsageError for
    any other text, for steps that never reach STOP, and for too many pictures.
    """
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


MAX_PHRASE_LENGTH = 20  # characters, in a file name


@dataclass(frozen=True)
class Grid:
    """A prompt for each combination of the weights of one or two sweeps, row by row.

    The first sweep makes the columns, the second the rows; `fixed` weights are in every prompt.
    """

    text: str
    fixed: tuple[Weight, ...]
    sweeps: tuple[Sweep, ...]

    def __post_init__(self) -> None:
        if len(self.sweeps) > 2:
            raise UsageError("--sweep is given more than twice: a sheet has only columns and rows")
        phrases = [fold(sweep.phrase) for sweep in self.sweeps]
        if len(set(phrases)) < len(phrases):
            raise UsageError(f"--sweep {self.sweeps[0].phrase!r} is given more than once")
        for weight in self.fixed:
            if fold(weight.phrase) in phrases:
                raise UsageError(
                    f"--weight {str(weight)!r}: {weight.phrase!r} is swept too: remove --weight or "
                    "--sweep"
                )
        if len(self.prompts) > MAX_PICTURES:
            sizes = " × ".join(str(len(sweep.values)) for sweep in self.sweeps)
            raise UsageError(
                f"--sweep: {sizes} is more than {MAX_PICTURES} pictures: use larger steps"
            )

    @property
    def varied(self) -> list[tuple[Weight, ...]]:
        """The swept weights of each picture, row by row."""
        columns, *rows = (sweep.weights for sweep in self.sweeps)
        if not rows:
            return [(column,) for column in columns]
        return [(column, row) for row in rows[0] for column in columns]

    @property
    def prompts(self) -> list[Prompt]:
        """The prompt of each picture, row by row."""
        return [Prompt(self.text, self.fixed + varied) for varied in self.varied]

    def picture_paths(self, output: Path) -> list[Path]:
        """Return a file next to the sheet for each picture: sheet_pine=-2_sun=0.5.png."""
        names = ["_".join(map(_file_name_part, varied)) for varied in self.varied]
        return [output.with_name(f"{output.stem}_{name}{output.suffix}") for name in names]


def _file_name_part(weight: Weight) -> str:
    """Return a weight as part of a file name."""
    phrase = re.sub(r"[^\w@]+", "-", weight.phrase)[:MAX_PHRASE_LENGTH]
    return f"{phrase}={format_number(weight.value)}"
