"""Presets, from a file or by name, as the defaults of a command's options."""

import os
import reprlib
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

import monetize
from monetize.cli.path_types import InputPath
from monetize.cli.terminal import Terminal
from monetize.errors import UsageError
from monetize.presets import PRESETS, load_config
from monetize.settings import MAX_NUMBER, DeviceSettings, PaintSettings

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from monetize.images.repaint import Repaint

# What TOML must hold, by the name of the option's click type; other types take text.
TOML_KINDS: dict[str, tuple[str, tuple[type, ...]]] = {
    "integer": ("a whole number", (int,)),
    "float": ("a number", (int, float)),
    "boolean": ("true or false", (bool,)),
    "auto|N": ('"auto" or a whole number', (int, str)),
    "N|WxH|fit": ('a whole number, "WIDTHxHEIGHT" or "fit"', (int, str)),
}
# Keys in a context's `meta`: the path of --config, the name of --preset, the options of --like and
# the file that they are from.
CONFIG, PRESET, LIKE = "monetize.config", "monetize.preset", "monetize.like"
LIKE_FILE = "monetize.like_file"
# In an installed package, and in a checkout.
FOLDERS = (
    Path(monetize.__file__).parent / "configs",
    Path(monetize.__file__).parent.parent / "configs",
)


def bundled_presets() -> dict[str, Path]:
    """Return the bundled TOML presets by name."""
    folder = next(folder for folder in FOLDERS if folder.is_dir())
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


class PresetFile(InputPath):
    """A TOML file, or the name of a bundled one; a file of that name takes precedence."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False)
        self.name = "NAME|FILE"

    def convert(
        self,
        value: "str | os.PathLike[str]",
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        """Return the path of the preset, or fail with the names of the bundled ones."""
        name = os.fspath(value)
        if os.path.exists(name):  # noqa: PTH110 # pathlib raises for a name that is too long
            return super().convert(value, param, ctx)
        presets = bundled_presets()
        if name not in presets:
            known = ", ".join(presets)
            self.fail(f"{name!r} is neither a file nor a bundled preset ({known})", param, ctx)
        return presets[name]

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem[Any]]":
        """Offer the bundled presets, and files."""
        from monetize.cli.completing import names_or_files

        return names_or_files(((name, "bundled") for name in bundled_presets()), incomplete)


def use_config(
    tables: Collection[str], ctx: click.Context, _param: click.Parameter, path: Path | None
) -> None:
    """Make the values of a TOML preset the defaults; flags override them."""
    if path is None:
        return
    ctx.meta[CONFIG] = path
    values = load_config(path, tables)
    for param in ctx.command.params:
        if param.name in values:
            _check_type(path, param, values[param.name])
    ctx.default_map = {**(ctx.default_map or {}), **values, **ctx.meta.get(LIKE, {})}


def use_preset(ctx: click.Context, _param: click.Parameter, name: str | None) -> None:
    """Make the values of a named preset the defaults; flags and --config override them."""
    if name is not None:
        ctx.meta[PRESET] = name
        ctx.default_map = {**PRESETS[name], **(ctx.default_map or {})}


def use_like(ctx: click.Context, _param: click.Parameter, path: Path | None) -> "Repaint | None":
    """Make the settings of a painting the defaults; flags override them, they override presets."""
    if path is None:
        return None
    from monetize.images.infotext import read_infotext
    from monetize.images.repaint import repaint

    like = repaint(read_infotext(path))
    ctx.meta[LIKE], ctx.meta[LIKE_FILE] = like.options, path
    ctx.default_map = {**(ctx.default_map or {}), **like.options}
    return like


def warn_unless_faster(settings: PaintSettings, device: DeviceSettings, terminal: Terminal) -> None:
    """Warn if --preset saves no work compared with the checkpoint's own settings."""
    ctx = click.get_current_context()
    preset = ctx.meta.get(PRESET)
    if preset is None:
        return
    from monetize.checkpoints.layout import PAINTER
    from monetize.checkpoints.own_settings import complete_settings
    from monetize.checkpoints.resolve import resolve, resolve_auto
    from monetize.devices import place
    from monetize.job.speed import passes

    placement = place(device)
    name, _ = resolve_auto(settings.model, PAINTER.flag, placement.device.type)
    checkpoint = resolve(
        name, PAINTER, half=placement.half, offline=device.offline, say=terminal.say
    )
    from_preset = {
        key: getattr(PaintSettings, key)
        for key in PRESETS[preset]
        if ctx.get_parameter_source(key) is ParameterSource.DEFAULT_MAP
    }
    used = passes(complete_settings(checkpoint, settings))
    own = passes(complete_settings(checkpoint, replace(settings, **from_preset)))
    if used >= own:
        terminal.warn(
            f"--preset {preset} is not faster than {name}'s own settings: it takes {used} passes "
            f"of the UNet per image instead of {own}"
        )


def _check_type(path: Path, param: click.Parameter, value: object) -> None:
    """Refuse a value that the option's type would silently convert, such as 7.5 steps to 7."""
    what, kinds = TOML_KINDS.get(param.type.name, ("text in quotes", (str,)))
    if param.multiple:
        what = 'a list such as ["pine=-1"]'
        fits = isinstance(value, list) and all(isinstance(each, str) for each in value)
    else:
        fits = isinstance(value, kinds) and (bool in kinds) == isinstance(value, bool)
        if isinstance(value, int) and abs(value) > MAX_NUMBER:
            what, fits = f"{MAX_NUMBER} at most", False
    if not fits:
        raise UsageError(f"{path}: {param.name} must be {what}, not {reprlib.repr(value)}")
