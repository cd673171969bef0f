"""Finished jobs that `--update` brings up to date."""

from pathlib import Path

import pytest
from helpers import FinishedJob, Run, members, names, rows
from PIL import Image


def test_a_finished_zip_is_updated(
    run_job: Run, finished: FinishedJob, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "a.zip"
    finished.copy_to(out)
    before = members(out)
    (photos / "photo1.jpg").unlink()
    Image.new("RGB", (40, 30), "teal").save(photos / "new.jpg")
    Image.open(photos / "photo4.jpg").save(photos / "photo2.jpg")
    refused = run_job(photos, out)
    assert refused.exit_code == 2
    assert "Use --update to keep the paintings in it that fit" in refused.stderr
    result = run_job(photos, out, "--update")
    assert result.exit_code == 0, result.stderr
    assert f"Imported: 6 paintings from {out}" in result.stderr
    assert "unused captions" not in result.stderr, "of the photo that was removed"
    assert "Painting: 6 paintings, 4 of them already done" in result.stderr
    run_job(photos, tmp_path / "b.zip")
    assert members(out) == members(tmp_path / "b.zip")
    assert rows(tmp_path / "a.csv") == rows(tmp_path / "b.csv")
    assert all(members(out)[f"photo{i}.jpg"] == before[f"photo{i}.jpg"] for i in (0, 3, 4, 5))
    assert names(tmp_path) == {
        "photos",
        *(f"{x}.{y}" for x in "ab" for y in ("zip", "csv", "json")),
    }


def test_an_update_with_other_settings_paints_everything_again(
    run_job: Run, finished: FinishedJob, photos: Path, tmp_path: Path
) -> None:
    finished.copy_to(tmp_path / "a.zip")
    result = run_job(photos, tmp_path / "a.zip", "--update", "--guidance-scale", 2)
    assert result.exit_code == 0, result.stderr
    assert "was painted with other settings: all of it is painted again" in result.stderr
    assert "Captioning" not in result.stderr


@pytest.mark.parametrize("missing", ["a.csv", "a.json"])
def test_an_update_needs_the_reports(
    run_job: Run, finished: FinishedJob, photos: Path, tmp_path: Path, missing: str
) -> None:
    finished.copy_to(tmp_path / "a.zip")
    (tmp_path / missing).unlink()
    before = (tmp_path / "a.zip").read_bytes()
    result = run_job(photos, tmp_path / "a.zip", "--update")
    assert result.exit_code == 2
    assert "--update needs a zip and both of its reports" in result.stderr
    assert (tmp_path / "a.zip").read_bytes() == before


def test_an_update_of_nothing_is_a_new_job(run_job: Run, photos: Path, tmp_path: Path) -> None:
    assert run_job(photos, tmp_path / "a.zip", "--update").exit_code == 0
    assert len(members(tmp_path / "a.zip")) == 6
