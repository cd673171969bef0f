"""`monetize tokens`."""

import json
import subprocess
import sys

from helpers import Run, Tiny

PROMPT = "a pine tree and a red sun"


def test_tokens_needs_no_torch(tiny: Tiny) -> None:
    code = (
        "import sys, monetize.cli\n"
        f"monetize.cli.main(['tokens', 'a tree', '--model', {str(tiny.painter)!r}], "
        "standalone_mode=False)\n"
        "print({'torch', 'diffusers'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown.splitlines()[-1] == "set()"


def test_tokens_lists_positions_and_weights(cli: Run, tiny: Tiny) -> None:
    result = cli("tokens", PROMPT, "--model", tiny.painter, "-w", "red sun=2.5")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["position", "token", "weight"]
    assert lines[1] == ["@0", "<|startoftext|>", "1"]
    assert ["@6", "red</w>", "2.5"] in lines
    assert len(lines) == 10


def test_tokens_as_json(cli: Run, tiny: Tiny) -> None:
    result = cli("tokens", PROMPT, "--model", tiny.painter, "-w", "pine=-1", "--json")
    assert json.loads(result.stdout)[2] == {
        "position": 2, "text": "pine</w>", "weight": -1.0, "cut": False,
    }  # fmt: skip


def test_tokens_shows_what_is_cut(cli: Run, tiny: Tiny) -> None:
    result = cli("tokens", "pine " * 75 + "red sun", "--model", tiny.painter)
    assert "longer than the 77 tokens that the painter sees" in result.stderr
    assert "no effect: 'red sun'" in result.stderr
    assert ["-", "sun</w>", "cut"] in [line.split() for line in result.stdout.splitlines()]
    assert result.stdout.splitlines()[-1].split() == ["@76", "<|endoftext|>", "1"]
