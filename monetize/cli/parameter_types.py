"""Parameter types: weights, sweeps, durations, moments, palettes, and `auto` or a number."""

import os
import reprlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monetize.adapters import parse_embedding, parse_lora
from monetize.durations import parse_duration, parse_moment
from monetize.errors import UsageError
from monetize.file_errors import unusable_name
from monetize.image_sizes import parse_size
from monetize.messages import printable
from monetize.prompts.weights import parse_weight
from monetize.settings import MONET
from monetize.text_files import without_marks

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from monetize.prompts.sweep import AnySweep


def check_utf8(text: str) -> str:
    """Return text that is valid Unicode; raises UsageError for bytes that are not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{printable(text)} is not valid UTF-8") from None
    return text


def _usable(name: str) -> str:
    """Return the name of a checkpoint, which may be the path of a folder."""
    if why := unusable_name(Path(name)):
        raise UsageError(f"{name!r}: {why}")
    return name


def _sweep(text: str) -> "AnySweep":
    from monetize.prompts.sweep import parse_sweep  # --help does not need its decimal numbers

    return parse_sweep(without_marks(text))


class Parsed(click.ParamType):  # type: ignore[type-arg] # generic since click 8.4
    """Text that a function parses; its error is reported as a wrong value of the flag."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Show the name as it is; click would show words to type, such as fit, in capitals."""
        return self.name

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Parse text; anything else was parsed before."""
        if not isinstance(value, str):
            return value
        try:
            return self._parse(check_utf8(value))
        except (UsageError, ValueError) as error:
            self.fail(str(error), param, ctx)


class CheckpointName(Parsed):
    """The name of a checkpoint or of a file for it, which shells complete."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem[Any]]":
        """Offer the known names."""
        from monetize.cli.completing import checkpoints

        return checkpoints(param, incomplete)


TEXT = Parsed("TEXT", without_marks)
CHECKPOINT = CheckpointName("NAME|FOLDER|HUB-ID", _usable)
PAINTER_CHECKPOINT = CheckpointName("NAME|FOLDER|FILE|HUB-ID", _usable)
LORA = CheckpointName("FILE|FOLDER|HUB-ID[=SCALE]", parse_lora)
EMBEDDING = CheckpointName("FILE[=TOKEN]", parse_embedding)
SIZE = Parsed("N|WxH|fit", parse_size)
WEIGHT = Parsed("WORD=NUMBER", lambda text: parse_weight(without_marks(text)))
SWEEP = Parsed("WORD=START:STOP:STEP|seed=START:STOP", _sweep)
DURATION = Parsed("DURATION", parse_duration)
MOMENT = Parsed("TIME", parse_moment)


class AutoOrNumber(click.ParamType):  # type: ignore[type-arg] # generic since click 8.4
    """A whole number, or `auto`, which becomes None."""

    name = "auto|N"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Show the name as it is, with the word to type in small letters."""
        return self.name

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        """Parse a number."""
        if value == "auto":
            return None
        text = str(value)
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            self.fail(f"{reprlib.repr(value)} is neither auto nor a whole number", param, ctx)
        return int(text)


class PaletteName(click.Path):
    """`monet`, an existing path, or `none`, which becomes None."""

    def convert(
        self,
        value: "str | os.PathLike[str]",
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        """Accept a name, or check that a path exists."""
        if value == "none":
            return None
        if value == MONET:
            return value
        try:
            check_utf8(os.fspath(value))
        except UsageError as error:
            self.fail(str(error), param, ctx)
        if not os.path.exists(value):  # noqa: PTH110 # pathlib raises for a name that is too long
            self.fail(f"{value!r} does not exist: give a folder or zip, monet, or none", param, ctx)
        return super().convert(value, param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem[Any]]":
        """Offer the names, and files and folders."""
        from monetize.cli.completing import names_or_files

        return names_or_files(((MONET, "bundled"), ("none", "no palette")), incomplete)
