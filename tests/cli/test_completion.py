"""`monetize completion` in real shells, in which somebody presses the tabulator key."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from helpers import Run

SECONDS = 60  # more than a loaded machine takes


def need(shell: str) -> str:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed")
    return found


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a command `monetize` of this checkout, and some files to complete."""
    command = tmp_path / "bin" / "monetize"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m monetize "$@"\n')
    command.chmod(0o755)
    (tmp_path / "holidays").mkdir()
    (tmp_path / "styles-of-mine.txt").write_text("by monet\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TERM", "dumb")
    return tmp_path


class Typist:
    """Types into a shell on a terminal, and waits for what it shows."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._shown = ""

    def type(self, text: str) -> None:
        self._shown = ""
        os.write(self._terminal, text.encode())

    def wait_for(self, text: str) -> None:
        until = time.monotonic() + SECONDS
        while text not in self._shown:
            ready, _, _ = select.select([self._terminal], [], [], 0.2)
            if ready:
                self._shown += os.read(self._terminal, 65536).decode(errors="replace")
            elif time.monotonic() > until:
                raise AssertionError(f"{text!r} is not in {self._shown!r}")


@contextmanager
def typing(*command: str) -> Iterator[Typist]:
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    try:
        yield Typist(ours)
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)


@pytest.mark.parametrize(
    ("shell", "start"),
    [
        ("bash", ["--norc", "--noprofile", "-i"]),
        ("zsh", ["-f", "-i"]),
    ],
)
def test_a_shell_completes_commands_names_and_files(
    here: Path, shell: str, start: list[str]
) -> None:
    prepare = "autoload -U compinit; compinit -u -D; " if shell == "zsh" else ""
    with typing(need(shell), *start) as typist:
        # The words are apart in what is typed, so that its echo is not taken for the answer.
        typist.type(f'{prepare}eval "$(monetize completion {shell})"; echo rea""dy\n')
        typist.wait_for("ready")
        for typed, completed in (
            ("monetize comp", "completion"),
            ("monetize paint --sched", "--scheduler"),
            ("monetize paint --model poc", "pocket"),
            ("monetize run --config cont", "contest"),
            ("monetize run --style-file styles-of", "styles-of-mine.txt"),
            ("monetize run holi", "holidays"),
        ):
            typist.type(f"{typed}\t")
            typist.wait_for(completed[len(typed.split()[-1]) :])
            typist.type("\x15")  # Ctrl-U clears the line


def test_fish_completes_commands_names_and_files(here: Path) -> None:
    fish = need("fish")
    for typed, completed in (
        ("monetize comp", "completion"),
        ("monetize paint --sched", "--scheduler"),
        ("monetize paint --model poc", "pocket"),
        ("monetize run --config cont", "contest"),
        ("monetize run --style-file styles-of", "styles-of-mine.txt"),
        ("monetize run holi", "holidays/"),
    ):
        script = f"monetize completion fish | source; complete -C '{typed}'"
        shown = subprocess.run(
            [fish, "--no-config", "-c", script], capture_output=True, text=True, timeout=SECONDS
        ).stdout
        assert completed in [line.split("\t")[0] for line in shown.splitlines()], (typed, shown)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_asks_the_command_by_its_name(cli: Run, shell: str) -> None:
    script = cli("completion", shell).stdout
    assert f"_MONETIZE_COMPLETE={shell}_complete" in script
    assert cli("completion", "tcsh").exit_code == 2
