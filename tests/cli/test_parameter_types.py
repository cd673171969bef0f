"""How the values of options are parsed, and what is refused."""

import os
from typing import Any

import click
import pytest

from monetize.cli.parameter_types import (
    CHECKPOINT,
    DURATION,
    SWEEP,
    TEXT,
    WEIGHT,
    AutoOrNumber,
    PaletteName,
)
from monetize.prompts.weights import Weight


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (TEXT, "a \u96ea", "a \u96ea"),
        (TEXT, "", ""),
        (CHECKPOINT, "owner/name@main", "owner/name@main"),
        (WEIGHT, "red sun=2", Weight("red sun", 2.0)),
        (WEIGHT, Weight("sun", 1.0), Weight("sun", 1.0)),
        (DURATION, "4h30m", 16200.0),
        (AutoOrNumber(), "auto", None),
        (AutoOrNumber(), "12", 12),
        (AutoOrNumber(), 12, 12),
        (PaletteName(), "none", None),
        (PaletteName(), "monet", "monet"),
        (PaletteName(), "/", "/"),
    ],
)
def test_values_are_read(kind: click.ParamType, text: object, value: object) -> None:  # type: ignore[type-arg]
    assert kind.convert(text, None, None) == value


def test_a_sweep_is_read() -> None:
    assert SWEEP.convert("pine=0:1:0.5", None, None).values == (0.0, 0.5, 1.0)


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (TEXT, os.fsdecode(b"\xff"), "not valid UTF-8"),
        (WEIGHT, "pine", "is not a weight"),
        (SWEEP, "pine=1", "is not a sweep"),
        (DURATION, "soon", "is not a duration"),
        (CHECKPOINT, "a" * 5000, "the name is too long"),
        (AutoOrNumber(), "1.5", "neither auto nor a whole number"),
        (AutoOrNumber(), "-1", "neither auto nor a whole number"),
        (AutoOrNumber(), "\u0663", "neither auto nor a whole number"),
        (AutoOrNumber(), "9" * 5000, "neither auto nor a whole number"),
        (PaletteName(), "a" * 5000, "does not exist"),
        (PaletteName(), "a\0b", "does not exist"),
    ],
)
def test_what_is_refused(kind: Any, text: str, message: str) -> None:
    with pytest.raises(click.BadParameter, match=message):
        kind.convert(text, None, None)
