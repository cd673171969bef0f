"""Other: presets, and how much a command prints."""

from functools import partial

import click

from monetize.cli.help import option_in
from monetize.cli.options.base import Decorator, all_of
from monetize.cli.presets import PresetFile, use_config
from monetize.presets import TABLES

VERBOSE = "monetize.verbose"
_option = option_in("Other")


def _note_verbose(ctx: click.Context, _param: click.Parameter, verbose: bool) -> bool:
    """Tell the group, which shows errors, whether to show tracebacks."""
    ctx.meta[VERBOSE] = verbose
    return verbose


quiet_option = _option("--quiet", "-q", is_flag=True, help="Print only results and warnings.")

verbosity_options = all_of(
    quiet_option,
    _option(
        "--verbose",
        "-v",
        is_flag=True,
        is_eager=True,
        callback=_note_verbose,
        help="Show the libraries' messages, and tracebacks of errors.",
    ),
)


def common_options(*tables: str) -> Decorator:
    """Return --config, which reads these tables of a preset, with --quiet and --verbose."""
    named = " and ".join(f"[{table}]" for table in tables)
    which = "all its tables" if len(tables) == len(TABLES) else f"only its {named}"
    return all_of(
        _option(
            "--config",
            type=PresetFile(),
            is_eager=True,
            expose_value=False,
            callback=partial(use_config, tables),
            help=f"Preset: contest, report, or a TOML file; reads {which}. Flags override it.",
        ),
        verbosity_options,
    )
