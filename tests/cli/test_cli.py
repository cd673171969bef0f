"""What all commands share: help, light imports, errors and their exit codes."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from helpers import Run

from monetize.cli import COMMANDS, main

PROMPT = "a pine tree and a red sun"


def run_python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_help_needs_no_heavy_import() -> None:
    heavy = run_python(
        "import sys, monetize.cli\n"
        "print({'torch', 'transformers', 'diffusers', 'numpy', 'scipy'} & set(sys.modules))"
    )
    assert heavy.strip() == "set()"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_examples_and_describes_every_option(cli: Run, command: str) -> None:
    result = cli(command, "--help")
    assert result.exit_code == 0
    assert f"  monetize {command}" in result.stdout
    found = main.get_command(click.Context(main), command)
    assert found is not None
    options = [each for each in found.params if isinstance(each, click.Option)]
    assert options or command == "completion"  # which has none
    assert [option.opts for option in options if not option.help] == []


def test_a_bug_keeps_its_traceback(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("monetize.checkpoints.inventory.list_checkpoints", broken)
    with pytest.raises(ZeroDivisionError):
        cli("models")


def test_verbose_shows_where_an_error_comes_from(cli: Run, tmp_path: Path) -> None:
    short = cli("tokens", PROMPT, "--model", tmp_path)
    assert short.exit_code == 1
    assert "Traceback" not in short.stderr
    long = cli("tokens", PROMPT, "--model", tmp_path, "--verbose")
    assert "Traceback" in long.stderr
