"""The commands and the code in the README work."""

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
from helpers import Run

from monetize.cli import main

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
COMMANDS = [
    line
    for language, block in BLOCKS
    if language == "sh"
    for line in block.replace("\\\n", "").splitlines()
    if line.startswith("monetize ")
]


def parse(line: str) -> dict[str, Any]:
    """The values of a command line by parameter name."""
    _, name, *arguments = shlex.split(line, comments=True)
    command = main.get_command(click.Context(main), name)
    assert command is not None
    values, _, _ = command.make_parser(click.Context(command)).parse_args(arguments)
    assert set(values) <= {param.name for param in command.params}
    return dict(values)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_line_is_understood(line: str) -> None:
    parse(line)  # raises for an option that the command does not have


def test_typed_in_order_the_commands_find_what_they_read_and_replace_nothing() -> None:
    written: set[str] = set()
    for line in COMMANDS:
        values, name = parse(line), line.split()[1]
        for source in (values.get("like"), values["painting"] if name == "info" else None):
            assert source is None or source in written, line
        outputs = [values.get(option) for option in ("output", "heatmap", "output_folder")]
        if name == "run" and not values.get("update"):
            outputs.append(values["out"])
        for output in filter(None, outputs):
            assert output not in written, line
            written.add(output)


def test_every_command_is_shown() -> None:
    shown = {line.split()[1] for line in COMMANDS}
    assert shown == set(main.list_commands(click.Context(main)))


def test_the_library_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [code] = [block for language, block in BLOCKS if language == "python"]
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert (tmp_path / "day.png").exists()


def test_exit_codes_are_those_of_the_help_text(cli: Run) -> None:
    table = re.findall(r"^\| (\d+) \|", README, re.MULTILINE)
    assert table == re.findall(r"^    (\d+) +", cli("--help").stdout, re.MULTILINE)
