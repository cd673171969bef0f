"""The images of a gallery, and photos that are missing."""

from pathlib import Path

from finished_job import FILES, entries
from helpers import Run, names


def test_photos_that_are_gone_or_damaged_are_left_out_and_reported(cli: Run, out: Path) -> None:
    photos = out.parent / "photos"
    (photos / FILES[0]).unlink()
    (photos / FILES[3]).write_bytes(b"")
    result = cli("gallery", out)
    assert result.exit_code == 0
    assert f"Warning: Missing from {photos}: 1 of 4 photos, whose paintings" in result.stderr
    assert "Warning: Unreadable: 1 of 4 photos" in result.stderr
    assert "plain.jpg (empty file)" in result.stderr
    page = out.with_suffix(".html")
    assert [each["has_photo"] for each in entries(page)] == [False, True, True, False]
    assert names(out.with_suffix(".gallery") / "photos") == {FILES[1], FILES[2]}
    assert "2 shown without their photo" in page.read_text("utf-8")


def test_photos_can_be_elsewhere(cli: Run, out: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").rename(tmp_path / "moved")
    result = cli("gallery", out, "--photos", tmp_path / "moved")
    assert "Warning" not in result.stderr
    assert len(names(out.with_suffix(".gallery") / "photos")) == 4


def test_without_the_summary_paintings_are_shown_alone(cli: Run, out: Path) -> None:
    out.with_suffix(".json").unlink()
    result = cli("gallery", out)
    assert result.exit_code == 0
    assert "images.json is missing or names no folder of photos" in result.stderr
    assert not any(each["has_photo"] for each in entries(out.with_suffix(".html")))
