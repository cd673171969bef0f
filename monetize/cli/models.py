"""`monetize models`: the checkpoints with a short name."""

import click

from monetize.cli.help import SectionedCommand
from monetize.cli.options.output import json_option
from monetize.cli.terminal import Terminal, to_json


@click.command(cls=SectionedCommand)
@json_option
def models(as_json: bool) -> None:
    """List the names that --captioner and --model accept, and which are on this machine.

    Both also accept any hub id (OWNER/NAME, OWNER/NAME@REVISION) and any local folder in the same
    layout.

    \b
    Examples:
      monetize models
      monetize models --json
    """
    from monetize.checkpoints.resolve import KNOWN, is_cached

    terminal = Terminal()
    rows = [
        {
            "name": model.name,
            "flag": model.layout.flag,
            "repository": model.repo_id or None,
            "on_this_machine": is_cached(model),
            "about": model.about,
        }
        for model in KNOWN
    ]
    if as_json:
        terminal.data(to_json(rows))
        return
    for row in rows:
        here = "on this machine" if row["on_this_machine"] else "not on this machine yet"
        terminal.result(f"{row['flag']} {row['name']}: {here}")
        terminal.result(f"    {row['about']}")
        if row["repository"]:
            terminal.result(f"    {row['repository']}")
