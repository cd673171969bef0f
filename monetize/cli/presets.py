"""Presets, by file and by name: their values stand where no flag is given."""

from collections.abc import Collection
from pathlib import Path

import click

from monetize.errors import UsageError
from monetize.presets import PRESETS, load_config

# By the names of click's types; all others are written as text.
TOML_KINDS: dict[str, tuple[str, tuple[type, ...]]] = {
    "integer": ("a whole number", (int,)),
    "float": ("a number", (int, float)),
    "boolean": ("true or false", (bool,)),
    "auto|N": ('"auto" or a whole number', (int, str)),
}


def use_config(
    tables: Collection[str], ctx: click.Context, _param: click.Parameter, path: Path | None
) -> None:
    """Let a preset's values stand where a flag is not given."""
    if path is None:
        return
    values = load_config(path, tables)
    for param in ctx.command.params:
        if param.name in values:
            _check_type(path, param, values[param.name])
    ctx.default_map = {**(ctx.default_map or {}), **values}


def use_preset(ctx: click.Context, _param: click.Parameter, name: str | None) -> None:
    """Let a named preset's values stand where neither a flag nor a file gives others."""
    if name is not None:
        ctx.default_map = {**PRESETS[name], **(ctx.default_map or {})}


def _check_type(path: Path, param: click.Parameter, value: object) -> None:
    """Refuse what the flag's own type would bend: 7.5 steps are not 7."""
    what, kinds = TOML_KINDS.get(param.type.name, ("a text in quotes", (str,)))
    if param.multiple:
        what = 'a list such as ["pine=-1"]'
        fits = isinstance(value, list) and all(isinstance(each, str) for each in value)
    else:
        fits = isinstance(value, kinds) and (bool in kinds) == isinstance(value, bool)
    if not fits:
        raise UsageError(f"{path}: {param.name} must be {what}, not {value!r}")
