"""What the values of options are read as: weights, sweeps, durations, palettes, numbers."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from monetize.durations import parse_duration
from monetize.errors import UsageError
from monetize.prompts.sweep import parse_sweep
from monetize.prompts.weights import parse_weight
from monetize.settings import MONET


class Parsed(click.ParamType):  # type: ignore[type-arg] # generic since click 8.4
    """Text that a function reads; the error that it raises is one of the flag's use."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Read the text, or fail as a wrong use of its flag; what is no text has been read."""
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except (UsageError, ValueError) as error:
            self.fail(str(error), param, ctx)


WEIGHT = Parsed("WORD=NUMBER", parse_weight)
SWEEP = Parsed("WORD=START:STOP:STEP", parse_sweep)
DURATION = Parsed("DURATION", parse_duration)


class AutoOrNumber(click.ParamType):  # type: ignore[type-arg] # generic since click 8.4
    """`auto`, which is None to the settings, or a whole number."""

    name = "auto|N"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        """Read a number, or fail as a wrong use of its flag."""
        if value == "auto":
            return None
        if not str(value).isdecimal():
            self.fail(f"{value!r} is neither auto nor a whole number", param, ctx)
        return int(str(value))


class PaletteName(click.Path):
    """`monet`, the path of something that is there, or `none`, which is None to the settings."""

    def convert(
        self,
        value: "str | os.PathLike[str]",
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        """Take a name as it is, or fail for a path that leads nowhere."""
        if value == "none":
            return None
        if value == MONET:
            return value
        if not Path(value).exists():
            self.fail(f"there is no {value!r}: give a folder or zip, or monet, or none", param, ctx)
        return super().convert(value, param, ctx)
