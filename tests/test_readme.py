"""The commands and the code in the README work."""

import re
import shlex
from pathlib import Path

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


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_line_is_understood(line: str) -> None:
    _, name, *arguments = shlex.split(line, comments=True)
    command = main.get_command(click.Context(main), name)
    assert command is not None
    # Raises for an option that the command does not have.
    values, _, _ = command.make_parser(click.Context(command)).parse_args(arguments)
    assert set(values) <= {param.name for param in command.params}


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
