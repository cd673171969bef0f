"""`monetize check`: whether the contest would accept a zip."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monetize.cli.help import SectionedCommand
from monetize.cli.options.common import quiet_option
from monetize.cli.options.output import json_option
from monetize.cli.path_types import ZIP
from monetize.cli.terminal import Terminal, to_json
from monetize.messages import counted

if TYPE_CHECKING:
    from monetize.contest.rules import CheckResult


@click.command(cls=SectionedCommand)
@click.argument("out", type=ZIP)
@json_option
@quiet_option
@click.pass_context
def check(ctx: click.Context, /, out: Path, as_json: bool, quiet: bool) -> None:
    """Check the zip OUT against the rules of the contest.

    Every image is read and fully decoded; the zip is not changed. Besides the rules, it reports
    black or nearly uniform images, identical images, and the size: these break no rule but may
    be worth a look.

    \b
    Examples:
      monetize check images.zip
      monetize check images.zip --json --quiet

    \b
    Exit codes:
      0    all rules are met
      1    a rule is broken, or OUT cannot be read
    """
    from dataclasses import asdict

    from monetize.contest.rules import check as check_zip

    terminal = Terminal(quiet=quiet)
    checked = check_zip(out, terminal)
    if as_json:
        values = {"file": str(out), "accepted": not checked.broken, **asdict(checked)}
        terminal.data(to_json(values))
    else:
        for line in lines(checked):
            terminal.result(line)
    ctx.exit(1 if checked.broken else 0)


def lines(checked: "CheckResult") -> Iterator[str]:
    """A line for each rule and note, then the verdict."""
    for rule in checked.rules:
        detail = f": {rule.detail}" if rule.detail else ""
        yield f"{'✓' if rule.met else '✗'} {rule.name}{detail}"
    for note in checked.notes:
        yield f"· {note.name}: {note.detail}"
    if checked.broken:
        yield f"The contest would refuse it: it breaks {counted(checked.broken, 'rule')}."
    else:
        yield "The contest would accept it."
