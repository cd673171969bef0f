"""`monetize check`: whether the contest would take a zip."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from monetize.cli.terminal import Terminal
from monetize.contest.rules import CheckResult
from monetize.contest.rules import check as check_zip
from monetize.messages import counted


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print an object with all of it.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but results and warnings.")
@click.pass_context
def check(ctx: click.Context, /, out: Path, as_json: bool, quiet: bool) -> None:
    """Say whether the contest would take the zip OUT, rule by rule.

    Every picture is read and decoded in full; the zip is not changed. Behind the rules stand black
    or nearly uniform pictures, identical ones, and the size, which break none but may be worth a
    look. The exit code is 0 where all rules are met, else 1.

    \b
    Examples:
      monetize check images.zip
      monetize check images.zip --json --quiet
    """
    terminal = Terminal(quiet=quiet)
    checked = check_zip(out, terminal)
    if as_json:
        values = {"file": str(out), "accepted": not checked.broken, **asdict(checked)}
        terminal.result(json.dumps(values, indent=2))
    else:
        for line in lines(checked):
            terminal.result(line)
    ctx.exit(1 if checked.broken else 0)


def lines(checked: CheckResult) -> Iterator[str]:
    """A line for each rule and note, and the outcome as the last."""
    for rule in checked.rules:
        detail = f": {rule.detail}" if rule.detail else ""
        yield f"{'✓' if rule.met else '✗'} {rule.name}{detail}"
    for note in checked.notes:
        yield f"· {note.name}: {note.detail}"
    if checked.broken:
        are = "is" if checked.broken == 1 else "are"
        yield f"The contest would refuse it: {counted(checked.broken, 'rule')} {are} not met."
    else:
        yield "The contest would take it."
