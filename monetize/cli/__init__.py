"""The command line: `run`, `check`, `gallery`, `score`, `caption`, `paint`, `tokens`, `models`.

Nothing here imports torch before a command has printed its first line.
"""

import traceback

import click

from monetize import __version__
from monetize.cli.caption import caption
from monetize.cli.check import check
from monetize.cli.gallery import gallery
from monetize.cli.models import models
from monetize.cli.options import VERBOSE
from monetize.cli.paint import paint
from monetize.cli.run import run
from monetize.cli.score import score
from monetize.cli.tokens import tokens
from monetize.errors import Interrupted, MonetizeError


class MonetizeGroup(click.Group):
    """The one place where errors that a user can mend become a message and an exit code."""

    def invoke(self, ctx: click.Context) -> None:
        """Run the chosen command."""
        try:
            super().invoke(ctx)
            return
        except KeyboardInterrupt:
            error: MonetizeError = Interrupted("Interrupted. Run the same command again.")
        except MonetizeError as caught:
            error = caught
            if ctx.meta.get(VERBOSE):
                traceback.print_exc()
        prefix = "" if isinstance(error, Interrupted) else "Error: "
        click.echo(f"{prefix}{error}", err=True)
        ctx.exit(error.exit_code)


@click.group(cls=MonetizeGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="monetize %(version)s")
def main() -> None:
    """Turn photos into Monet paintings: caption each one, paint the caption.

    \b
    Examples:
      monetize run photos/ images.zip            a folder of photos into a contest zip
      monetize check images.zip                  whether the contest would take it
      monetize score images.zip --reference monet_jpg/
                                                 how near to Monet it comes
      monetize gallery images.zip                the paintings beside their photos, as a page
      monetize caption img.jpg                   what a photo shows, in words
      monetize paint "a pine tree and a red sun" --weight pine=-1
      monetize tokens "a pine tree"              how a prompt is cut into tokens
      monetize models                            which checkpoints there are

    \b
    Exit codes:
      0    all done
      1    failed; the message says why and what to do
      2    the command line or a preset is wrong, or something is in the way
      3    done, but some photos could not be read; each is listed with its reason
      130  interrupted; the message says how to go on
    """


for command in (run, check, gallery, score, caption, paint, tokens, models):
    main.add_command(command)
