"""`monetize info`: how a painting was made, from its file."""

from pathlib import Path

import click

from monetize.cli.help import SectionedCommand
from monetize.cli.options.output import json_option
from monetize.cli.path_types import FILE
from monetize.cli.terminal import Terminal, to_json
from monetize.messages import printable


@click.command(cls=SectionedCommand)
@click.argument("painting", metavar="FILE", type=FILE)
@json_option
def info(painting: Path, as_json: bool) -> None:
    """Show the prompt and the settings that the painting in FILE was made with.

    Reads what `monetize paint` and AUTOMATIC1111's web UI write into PNG and JPEG files, and
    `monetize run` with --output-folder or --metadata.
    `monetize paint --like FILE` paints it again.

    \b
    Examples:
      monetize info painting.png
      monetize info painting.jpg --json
    """
    from monetize.images.infotext import read_infotext

    terminal = Terminal()
    infotext = read_infotext(painting)
    if as_json:
        prompts = {"prompt": infotext.prompt, "negative_prompt": infotext.negative_prompt}
        terminal.data(to_json({**prompts, "settings": dict(infotext.settings)}))
        return
    rows = {"Prompt": infotext.prompt, "Negative prompt": infotext.negative_prompt}
    for name, value in {**rows, **infotext.settings}.items():
        if value:
            terminal.result(f"{printable(name)}: {printable(value)}")
