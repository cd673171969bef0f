"""A finished job that tests of jobs share, and interruptions."""

from collections.abc import Iterator

import pytest
from helpers import FinishedJob, Interrupt, Tiny, make_photos, members, run_tiny_job

from monetize.painting import painter


@pytest.fixture(scope="session")
def finished(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FinishedJob]:
    """The job of `run_job` on the photos of `photos` and a text file: to look at or to copy."""
    folder = tmp_path_factory.mktemp("finished")
    photos = make_photos(folder / "photos")
    (photos / "notes.txt").write_text("x")
    archive = folder / "images.zip"
    result = run_tiny_job(tiny, photos, archive)
    assert result.exit_code == 0, result.stderr
    before = members(archive)
    yield FinishedJob(photos, archive, result)
    assert members(archive) == before, "a test has changed the job that all share"


@pytest.fixture
def interrupt_after(monkeypatch: pytest.MonkeyPatch) -> Interrupt:
    """Press Ctrl-C after this many batches."""

    def arrange(batches: int) -> None:
        painted = 0
        original = painter.Painter.start

        def start(self: painter.Painter, *args: object, **options: object) -> object:
            nonlocal painted
            if painted == batches:
                raise KeyboardInterrupt
            painted += 1
            return original(self, *args, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(painter.Painter, "start", start)

    return arrange
