"""Presets, from a file or by name, as the defaults of a command's options."""

import reprlib
from collections.abc import Collection
from pathlib import Path

import click

from monetize.errors import UsageError
from monetize.presets import PRESETS, load_config

# What TOML must hold, by the name of the option's click type; other types take text.
TOML_KINDS: dict[str, tuple[str, tuple[type, ...]]] = {
    "integer": ("a whole number", (int,)),
    "float": ("a number", (int, float)),
    "boolean": ("true or false", (bool,)),
    "auto|N": ('"auto" or a whole number', (int, str)),
}


def use_config(
    tables: Collection[str], ctx: click.Context, _param: click.Parameter, path: Path | None
) -> None:
    """Make the values of a TOML preset the defaults; flags override them."""
    if path is None:
        return
    values = load_config(path, tables)
    for param in ctx.command.params:
        if param.name in values:
            _check_type(path, param, values[param.name])
    ctx.default_map = {**(ctx.default_map or {}), **values}


def use_preset(ctx: click.Context, _param: click.Parameter, name: str | None) -> None:
    """Make the values of a named preset the defaults; flags and --config override them."""
    if name is not None:
        ctx.default_map = {**PRESETS[name], **(ctx.default_map or {})}


def _check_type(path: Path, param: click.Parameter, value: object) -> None:
    """Refuse a value that the option's type would silently convert, such as 7.5 steps to 7."""
    what, kinds = TOML_KINDS.get(param.type.name, ("text in quotes", (str,)))
    if param.multiple:
        what = 'a list such as ["pine=-1"]'
        fits = isinstance(value, list) and all(isinstance(each, str) for each in value)
    else:
        fits = isinstance(value, kinds) and (bool in kinds) == isinstance(value, bool)
    if not fits:
        raise UsageError(f"{path}: {param.name} must be {what}, not {reprlib.repr(value)}")
