"""OUT.json is read back, and whatever it holds gives InputError or safe values."""

import json
from pathlib import Path
from typing import Any

import pytest
from finished_job import FILES, entries, leave_job
from helpers import Run

from monetize.errors import InputError
from monetize.job.summary_reader import Summary, read_summary


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return leave_job(tmp_path)


def test_a_summary_is_read(out: Path) -> None:
    summary = read_summary(out.with_suffix(".json"))
    assert (summary.painter, summary.captioner) == ("sd-v1-4", "vit-gpt2")
    assert summary.photos == out.parent / "photos"
    assert summary.paint == {"model": "sd-v1-4", "size": 512, "negative_prompt": "a 'b'"}
    assert not summary.budgeted


def test_without_a_summary_nothing_is_known(tmp_path: Path) -> None:
    assert read_summary(tmp_path / "none.json") == Summary()


JUNK: dict[str, Any] = {
    "null": None,
    "true": True,
    "a number": 7,
    "a negative number": -1.5,
    "text": "x",
    "control characters": "\x1b[31m\0",
    "a lone surrogate": "\ud800",
    "a list": [1, [2]],
    "an object": {"name": ["x"]},
    "infinity": float("inf"),
    "not a number": float("nan"),
}


@pytest.mark.parametrize("junk", JUNK.values(), ids=list(JUNK))
@pytest.mark.parametrize(
    "path",
    [
        (), ("photos",), ("painter",), ("painter", "name"), ("captioner",), ("settings",),
        ("settings", "paint"), ("settings", "paint", "size"), ("settings", "run"),
        ("settings", "run", "time_budget"),
    ],
    ids=".".join,
)  # fmt: skip
def test_a_summary_with_junk_gives_an_error_or_a_gallery(
    cli: Run, out: Path, path: tuple[str, ...], junk: object
) -> None:
    content: Any = json.loads(out.with_suffix(".json").read_text())
    place = content
    for key in path[:-1]:
        place = place.setdefault(key, {})
    if path:
        place[path[-1]] = junk
    else:
        content = junk
    out.with_suffix(".json").write_text(json.dumps(content))
    result = cli("gallery", out)  # an unexpected exception fails the test
    assert result.exit_code in (0, 1)
    if result.exit_code:
        assert "images.json: " in result.stderr
        assert "Move it away to continue without it." in result.stderr
    else:
        assert len(entries(out.with_suffix(".html"))) == len(FILES)


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"settings": {"paint": {"size": ' + "9" * 5000 + "}}}", "{", "", "\x00"],
    ids=["deep nesting", "5,000 digits", "cut", "empty", "NUL"],
)
def test_a_summary_that_is_not_json_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "images.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"images\.json: cannot be read: .*Move it away"):
        read_summary(path)
