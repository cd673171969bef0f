"""Weights: how strongly single words act on a painting."""

import click

from monetize.cli.help import option_in
from monetize.cli.options.base import all_of, shown_default
from monetize.cli.parameter_types import SWEEP, WEIGHT
from monetize.prompts.syntax import SYNTAXES
from monetize.prompts.weights import WEIGHT_FORM
from monetize.settings import PaintSettings

_option = option_in("Weights")

weight_option = _option(
    "--weight",
    "-w",
    type=WEIGHT,
    multiple=True,
    help="Factor for the attention to a word or phrase: 1 changes nothing, 0 mutes it, a negative "
    f"number pushes away from it. {WEIGHT_FORM[0].upper()}{WEIGHT_FORM[1:]}. Repeatable.",
)

syntax_option = _option(
    "--prompt-syntax",
    type=click.Choice(SYNTAXES),
    help="Read weights from the prompt itself: a1111 is (pine:1.2), ((pine)) and [pine], compel is "
    "pine++ and (pine tree)-. Both scale embeddings in those programs; here the number scales "
    "attention, so it is not as strong or weak as there. --weight multiplies it.",
    **shown_default(PaintSettings.prompt_syntax),
)

weight_options = all_of(
    weight_option,
    syntax_option,
    _option(
        "--weight-start",
        type=float,
        help="Fraction of the steps after which weights start to act.",
        **shown_default(PaintSettings.weight_start),
    ),
    _option(
        "--weight-end",
        type=float,
        help="Fraction of the steps after which weights stop acting.",
        **shown_default(PaintSettings.weight_end),
    ),
)

sweep_options = all_of(
    _option(
        "--sweep",
        "sweeps",
        type=SWEEP,
        metavar=SWEEP.name,
        multiple=True,
        help="Paint once per weight of a word, all from one seed, or once per seed, and write a "
        "labeled sheet. Given twice, it makes a grid: the first in columns, the second in rows. "
        "STOP is included if a step lands on it.",
    ),
    _option("--keep", is_flag=True, help="Also write each picture of a --sweep to its own file."),
)
