"""One prompt under weights that vary: the grammar of `--sweep`, and its grid of prompts."""

import decimal
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from monetize.errors import UsageError
from monetize.prompts.prompt import Prompt
from monetize.prompts.weights import Weight, plain

SWEEP_FORM = "write WORD=START:STOP:STEP, such as pine=-2:2:1"
MOST_PICTURES = 100  # of one sweep, and those that --heatmap makes sheets for


@dataclass(frozen=True)
class Sweep:
    """The weights that a word, phrase or position gets in turn; `text` is how it was asked for."""

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
    """Read `pine=-2:2:1`: the weights -2, -1, 0, 1 and 2; STOP is one if a step falls on it.

    Counts in decimals, so that 0:1:0.1 is eleven weights, 0.3 among them. Raises UsageError for
    what is no sweep, goes nowhere or is too many pictures.
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
        raise UsageError(f"{text!r}: a step of 0 leads nowhere: {SWEEP_FORM}")
    if (stop - start) * step < 0:
        raise UsageError(
            f"{text!r}: steps of {step} lead away from {stop}: give {-step} as the step"
        )
    if abs(stop - start) >= abs(step) * MOST_PICTURES:
        raise UsageError(
            f"{text!r}: more than {MOST_PICTURES} pictures: give a larger step than {step}"
        )
    count = int((stop - start) / step) + 1
    # Adding 0.0 makes a 0 of -0.
    values = tuple(float(start + i * step) + 0.0 for i in range(count))
    return Sweep(phrase, values, f"{phrase}={numbers}")


LONGEST_PHRASE = 20  # characters of it in a file's name


@dataclass(frozen=True)
class Grid:
    """A prompt for each combination of one or two sweeps' weights, row by row.

    The first sweep is the columns, the second the rows; `fixed` weights stay as they are.
    """

    text: str
    fixed: tuple[Weight, ...]
    sweeps: tuple[Sweep, ...]

    def __post_init__(self) -> None:
        if len(self.sweeps) > 2:
            raise UsageError("--sweep is given more than twice: a sheet has columns and rows only")
        phrases = [sweep.phrase.casefold() for sweep in self.sweeps]
        if len(set(phrases)) < len(phrases):
            raise UsageError(f"--sweep {self.sweeps[0].phrase!r} is given more than once")
        for weight in self.fixed:
            if weight.phrase.casefold() in phrases:
                raise UsageError(
                    f"--weight {str(weight)!r}: {weight.phrase!r} is swept: leave one of --weight "
                    "and --sweep out"
                )
        if len(self.prompts) > MOST_PICTURES:
            sizes = " × ".join(str(len(sweep.values)) for sweep in self.sweeps)
            raise UsageError(
                f"--sweep: {sizes} are more than {MOST_PICTURES} pictures: give larger steps"
            )

    @property
    def varied(self) -> list[tuple[Weight, ...]]:
        """The swept weights of each picture."""
        columns, *rows = (sweep.weights for sweep in self.sweeps)
        if not rows:
            return [(column,) for column in columns]
        return [(column, row) for row in rows[0] for column in columns]

    @property
    def prompts(self) -> list[Prompt]:
        """What to paint for each picture."""
        return [Prompt(self.text, self.fixed + varied) for varied in self.varied]

    def kept(self, output: Path) -> list[Path]:
        """A file for each picture beside the sheet: sheet_pine=-2_sun=0.5.png."""
        names = ["_".join(map(_name, varied)) for varied in self.varied]
        return [output.with_name(f"{output.stem}_{name}{output.suffix}") for name in names]


def _name(weight: Weight) -> str:
    """A weight as a part of a file's name."""
    phrase = re.sub(r"[^\w@]+", "-", weight.phrase)[:LONGEST_PHRASE]
    return f"{phrase}={plain(weight.value)}"
