"""What the values of options are read as: weights, sweeps, durations, palettes, numbers."""

import os
from pathlib import Path
from typing import Any

import click

from monetize.durations import parse_duration
from monetize.errors import UsageError
from monetize.prompt import Sweep, Weight, parse_sweep, parse_weight
from monetize.settings import MONET


class WeightType(click.ParamType):  # type: ignore[type-arg] # generic since click 8.4
    """`pine=-1`, `red sun=2`, `@6=-17`."""

    name = "WORD=NUMBER"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Weight:
        """Read a weight, or fail as a wrong use of its flag."""
        if isinstance(value, Weight):
            return value
        try:
            return parse_weight(str(value))
        except UsageError as error:
            self.fail(str(error), param, ctx)


class SweepType(click.ParamType):  # type: ignore[type-arg] # generic since click 8.4
    """`pine=-2:2:1`."""

    name = "WORD=START:STOP:STEP"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Sweep:
        """Read a sweep, or fail as a wrong use of its flag."""
        try:
            return parse_sweep(str(value))
        except UsageError as error:
            self.fail(str(error), param, ctx)


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


class Duration(click.ParamType):  # type: ignore[type-arg] # generic since click 8.4
    """`4h30m`, `90m`, `45s`: seconds."""

    name = "DURATION"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read a duration, or fail as a wrong use of its flag."""
        if isinstance(value, float):
            return value
        try:
            return parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class PaletteName(click.Path):
    """`monet`, the path of something that is there, or `none`, which is None to the settings."""

    def convert(
        self,
        value: "str | os.PathLike[str]",
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        """Take a name as it is, or fail for a path that leads nowhere."""
        if value in (MONET, "none"):
            return None if value == "none" else value
        if not Path(value).exists():
            self.fail(f"there is no {value!r}: give a folder or zip, or monet, or none", param, ctx)
        return super().convert(value, param, ctx)
