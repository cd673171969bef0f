"""`monetize models`: the checkpoints that have a name here."""

import json

import click

from monetize.cli.terminal import Terminal


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
def models(as_json: bool) -> None:
    """List the names that --captioner and --model know, and which are on this machine.

    Beside these, both take any hub id (OWNER/NAME, OWNER/NAME@REVISION) and any local folder of
    the same layout.

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
        terminal.result(json.dumps(rows, indent=2))
        return
    for row in rows:
        here = "on this machine" if row["on_this_machine"] else "not on this machine yet"
        terminal.result(f"{row['flag']} {row['name']}: {here}")
        terminal.result(f"    {row['about']}")
        if row["repository"]:
            terminal.result(f"    {row['repository']}")
