"""A finished job, its gallery, and a browser to look at it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Browser, chromium, find_chromium
from finished_job import FILES, leave_job
from helpers import Run


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return leave_job(tmp_path)


@pytest.fixture(scope="module")
def _chromium() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.skip("there is no Chromium on this machine")
    with chromium(path) as browser:
        yield browser


@pytest.fixture
def browser(_chromium: Browser) -> Iterator[Browser]:
    """A browser that must report no problems and load only files."""
    _chromium.window(1000, 800)
    yield _chromium
    assert _chromium.problems == []
    assert {url.partition(":")[0] for url in _chromium.requests} <= {"file", "data", "about"}


@pytest.fixture
def page(cli: Run, out: Path) -> Path:
    (out.parent / "photos" / FILES[3]).unlink()
    cli("gallery", out)
    return out.with_suffix(".html")
