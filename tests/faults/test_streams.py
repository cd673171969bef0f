"""Standard streams that are closed, full, or abandoned by their reader: the work is still done."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import Tiny, names, rows

FULL = Path("/dev/full")
MONETIZE = f"{shlex.quote(sys.executable)} -m monetize"


def shell(line: str, folder: Path) -> tuple[int, str]:
    """The exit code of `monetize` in a line of bash, and what the line shows on standard error."""
    script = f'set -o pipefail; monetize() {{ {MONETIZE} "$@"; }}; {line}'
    ended = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True)
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
    return ended.returncode, ended.stderr


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("models", marks=pytest.mark.slow),
        pytest.param("models --json", marks=pytest.mark.slow),
        *("completion bash", "--help", "run --help"),
    ],
)
@pytest.mark.parametrize(
    ("where", "code", "message"),
    [
        ("| true", 0, ""),
        ("2>&1 | true", 0, ""),
        ("2>&- >/dev/null", 0, ""),
        ("2>/dev/full >/dev/null", 0, ""),
        (">&-", 1, "Error: standard output cannot be written: Bad file descriptor\n"),
        (">/dev/full", 1, "Error: standard output cannot be written: No space left on device\n"),
        (">/dev/full 2>&-", 1, ""),
    ],
)
def test_what_happens_to_results(
    tmp_path: Path, command: str, where: str, code: int, message: str
) -> None:
    if "full" in where and not FULL.exists():
        pytest.skip("there is no /dev/full on this system")
    assert shell(f"monetize {command} {where}", tmp_path) == (code, message)


@pytest.mark.parametrize("where", ["2>&1 | true", pytest.param(">&- 2>&-", marks=pytest.mark.slow)])
def test_a_job_needs_no_reader(tiny: Tiny, photos: Path, tmp_path: Path, where: str) -> None:
    flags = shlex.join([*tiny.flags, "--steps", "1", "--limit", "2"])
    code, _ = shell(f"monetize run photos a.zip {flags} {where}", tmp_path)
    assert code == 0
    assert len(rows(tmp_path / "a.csv")) == 2
    assert names(tmp_path) == {"photos", "a.zip", "a.csv", "a.json"}


@pytest.mark.parametrize(
    ("where", "code"), [pytest.param("| true", 0, marks=pytest.mark.slow), (">/dev/full", 1)]
)
def test_paintings_are_written_although_nobody_reads_their_names(
    tiny: Tiny, tmp_path: Path, where: str, code: int
) -> None:
    flags = shlex.join(["--model", str(tiny.painter), "--steps", "1", "-n", "2", "-o", "a.png"])
    assert shell(f"monetize paint tree {flags} {where}", tmp_path)[0] == code
    assert names(tmp_path) == {"a-1.png", "a-2.png"}


@pytest.mark.slow
def test_captioning_stops_when_nobody_reads(tiny: Tiny, photos: Path, tmp_path: Path) -> None:
    flags = shlex.join(["--captioner", str(tiny.captioner), "--caption-batch-size", "1"])
    code, shown = shell(f"monetize caption photos {flags} | true", tmp_path)
    assert code == 0
    assert "Captioning: 6/6" not in shown
