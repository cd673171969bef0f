"""The command line: a group of the commands in `COMMANDS`.

No command imports torch before it has printed its first line, and `--help` imports little more
than click: a command is imported when it is chosen, and the modules it uses when it runs.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from monetize import __version__
from monetize.cli.options.common import VERBOSE
from monetize.cli.terminal import Terminal
from monetize.errors import Interrupted, MonetizeError
from monetize.interruption import MESSAGE

COMMANDS = (
    "run", "check", "gallery", "score", "caption", "paint", "info", "tokens", "models", "devices",
    "completion",
)  # fmt: skip


class MonetizeGroup(click.Group):
    """Imports the chosen command; turns errors that a user can fix into a message and a code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which a user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command from the module that has its name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"monetize.cli.{cmd_name}"), cmd_name)
        return command

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command line, showing click's errors the way `invoke` shows others."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, False, **extra)
        try:
            code = super().main(args, prog_name, complete_var, False, **extra)
        except click.ClickException as error:
            _show(error)
            code = error.exit_code
        except click.Abort:
            Terminal().error(MESSAGE)
            code = Interrupted.exit_code
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> None:
        """Run the chosen command."""
        terminal = Terminal()
        try:
            super().invoke(ctx)
            return
        except KeyboardInterrupt:
            error: MonetizeError = Interrupted(MESSAGE)
        except MonetizeError as caught:
            error = caught
            if ctx.meta.get(VERBOSE):
                import traceback

                terminal.error(*traceback.format_exc().splitlines())
        prefix = "" if isinstance(error, Interrupted) else "Error: "
        first, *others = error.args
        terminal.error(f"{prefix}{first}", *others)
        ctx.exit(error.exit_code)


def _show(error: click.ClickException) -> None:
    """Show a usage error as click does, but without control characters."""
    lines = []
    if isinstance(error, click.UsageError) and error.ctx is not None:
        hint = f"Try '{error.ctx.command_path} --help' for help."
        lines = [*error.ctx.get_usage().splitlines(), hint, ""]
    Terminal().error(*lines, f"Error: {error.format_message()}")


@click.group(cls=MonetizeGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="monetize %(version)s")
def main() -> None:
    """Turn photos into Monet paintings: caption each photo, paint the caption.

    \b
    Examples:
      monetize run photos/ images.zip            turn a folder of photos into a contest zip
      monetize check images.zip                  would the contest accept it?
      monetize score images.zip --reference monet_jpg/
                                                 how close is it to Monet?
      monetize gallery images.zip                browse paintings and photos on a page
      monetize caption img.jpg                   say what a photo shows
      monetize paint "a sunset over a lake" --weight sunset=-1
      monetize info painting.png                 show how a painting was made
      monetize tokens "a pine tree"              show how a prompt is split into tokens
      monetize models                            list the known checkpoints
      monetize devices                           show what this machine can paint on
      monetize completion bash                   make the shell complete commands and names

    \b
    Exit codes:
      0    success
      1    failed; the message says why and what to do
      2    wrong command line or preset, or an existing file is in the way
      3    done, but some photos could not be read or painted; each is listed with its reason
      130  interrupted by Ctrl-C; the message says how to continue
      143  interrupted by SIGTERM, or 129 by SIGHUP, likewise
    """
