"""The distribution: its name, and that nothing installs the other project called `monetize`."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
# `monetize` as something to look up in an index: neither a path nor a wheel file.
FROM_AN_INDEX = re.compile(
    r"pip3? (?:install|download|wheel)\b[^\n`|]*(?<![\w./-])monetize(?![\w/*-])"
)
TEXTS = [
    path
    for pattern in ("*.md", "*.toml", "scripts/**/*", "monetize/**/*.py", ".ci/*")
    for path in ROOT.glob(pattern)
    if path.is_file() and path.suffix not in {".pyc", ".safetensors"}
]


def test_the_distribution_has_a_name_of_its_own_and_the_command_its_short_one() -> None:
    assert PROJECT["name"] == "photos-to-monet"
    assert list(PROJECT["scripts"]) == ["monetize"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("pip install monetize", True),
        ("pip install --upgrade 'monetize[score]'", True),
        ("pip install .", False),
        ("pip install ./monetize", False),
        ("pip install --no-index wheels/monetize-0.1.0-py3-none-any.whl", False),
    ],
)
def test_installing_from_an_index_is_recognized(line: str, found: bool) -> None:
    assert bool(FROM_AN_INDEX.search(line)) == found


def test_nothing_installs_the_project_of_somebody_else() -> None:
    assert len(TEXTS) > 100
    lines = {
        (path.relative_to(ROOT).as_posix(), match.group())
        for path in TEXTS
        for match in FROM_AN_INDEX.finditer(path.read_text("utf-8"))
    }
    assert lines == set()
