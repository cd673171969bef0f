"""`monetize gallery`, killed at every operation on files: the same command builds the gallery."""

import subprocess
import sys
from pathlib import Path

import pytest
from finished_job import entries, leave_job
from helpers import Run, names

# Ends the process, as kill -9 does, at the operation on files whose number is given.
KILLED = """
import os, sys
from monetize.cli import main
at, out = int(sys.argv[1]), sys.argv[2]
def count(event, args):
    global at
    writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
    changes = event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree")
    if (changes or writes) and "images." in str(args[0]):
        at -= 1
        if at < 0:
            os._exit(9)
sys.addaudithook(count)
main(["gallery", out, "--quiet"])
"""


@pytest.mark.parametrize("at", range(0, 17, 2))
def test_a_killed_gallery_is_built_by_the_same_command(cli: Run, tmp_path: Path, at: int) -> None:
    out = leave_job(tmp_path)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(at), str(out)])
    result = cli("gallery", out)
    if killed.returncode == 9:
        assert result.exit_code == 0 or out.with_suffix(".html").exists(), result.stderr
    assert len(entries(out.with_suffix(".html"))) == 4
    assert names(tmp_path) - {"photos"} == {
        f"images.{ending}" for ending in ("zip", "csv", "json", "html", "gallery")
    }
