"""scripts/on_gpu.sh refuses what it does not know; tests/on_gpu has the tests that it runs."""

import os
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "on_gpu.sh"


def run(*args: str, **variables: str) -> subprocess.CompletedProcess[str]:
    usual = {name: value for name, value in os.environ.items() if name != "OUT"}
    return subprocess.run(
        ["sh", SCRIPT, *args], env={**usual, **variables}, capture_output=True, text=True
    )


def test_it_needs_a_folder_for_the_results() -> None:
    result = run()
    assert result.returncode != 0
    assert "set OUT to the folder for the results" in result.stderr


def test_an_unknown_option_is_refused(tmp_path: Path) -> None:
    result = run("--fast", OUT=str(tmp_path))
    assert result.returncode == 2
    assert "unknown option --fast" in result.stderr
