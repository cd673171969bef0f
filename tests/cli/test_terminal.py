"""What a terminal shows."""

import io
import json
import os
import pty
import re
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from helpers import Tiny

from monetize.cli.terminal import Terminal, encodable, to_json


@pytest.mark.slow
def test_a_terminal_shows_progress_bars(tiny: Tiny, photos: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    command = [sys.executable, "-m", "monetize", "run", photos, tmp_path / "a.zip", *tiny.flags]
    process = subprocess.Popen([*map(str, command), "--steps", "2"], stderr=theirs, stdout=theirs)
    os.close(theirs)
    shown = b""
    try:
        while data := os.read(ours, 4096):
            shown += data
    except OSError:  # Linux's way to say that the other end is closed
        pass
    os.close(ours)
    assert process.wait() == 0
    text = shown.decode()
    assert re.search(r"Captioning 100%\|█+\| 6/6 \[00:\d\d, 00:00 left, [\d.]+ photos/s\]", text)
    assert re.search(r"Painting +\d+%\|.*\| \d/6 \[.* left, ", text)
    assert text.rstrip().endswith(f"in {tmp_path / 'a.zip'}")


def test_quiet_shows_warnings_errors_and_results_only(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(quiet=True)
    terminal.say("a")
    terminal.warn("b")
    terminal.error("c", "d")
    terminal.result("e", "f")
    with terminal.stage("Painting", 1, "painting") as stage:
        stage.advance()
    shown = capsys.readouterr()
    assert shown.err == "Warning: b\nc\nd\n"
    assert shown.out == "e\tf\n"


def test_lines_have_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    terminal.say("a\x1b[31m\n")
    terminal.result("b\tc", "d\r")
    shown = capsys.readouterr()
    assert shown.err == "a\\x1b[31m\\n\n"
    assert shown.out == "b\\tc\td\\r\n"


def test_data_is_escaped_on_a_terminal_only(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = b"photo\n\xff\x1b[31m\n"
    Terminal().data(data)
    assert capfdbinary.readouterr().out == data
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    Terminal().data(data)
    assert capfdbinary.readouterr().out == b"photo\n\\udcff\\x1b[31m\n"


def test_json_has_no_control_characters() -> None:
    data = to_json(["\x1b\x7f\x9b\u96ea"])
    assert json.loads(data) == ["\x1b\x7f\x9b\u96ea"]
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f-\xff]", data)


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("utf-8", "✓ × 雪"), ("ascii", "ok  x \\u96ea"), ("cp1252", "ok  × \\u96ea")],
)
def test_characters_that_an_encoding_does_not_have_are_replaced(encoding: str, shown: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    assert encodable("✓ × 雪", stream) == shown
