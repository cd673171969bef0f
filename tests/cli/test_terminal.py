"""What a terminal shows."""

import os
import pty
import re
import subprocess
import sys
import termios
from pathlib import Path

from helpers import Tiny


def test_a_terminal_is_shown_bars(tiny: Tiny, photos: Path, tmp_path: Path) -> None:
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
