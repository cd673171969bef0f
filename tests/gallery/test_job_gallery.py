"""`monetize run --gallery`."""

import shutil
from pathlib import Path

import pytest
from finished_job import entries
from helpers import Run, names

from monetize.gallery.files import GalleryFiles


def test_run_builds_the_gallery_when_the_job_is_done(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "a.zip"
    result = run_job(photos, out, "--limit", 2, "--gallery")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.splitlines()[-1] == f"Gallery: {tmp_path / 'a.html'}"
    assert [each["file"] for each in entries(tmp_path / "a.html")] == ["photo0.jpg", "photo1.jpg"]
    assert all(each["has_photo"] for each in entries(tmp_path / "a.html"))
    assert run_job(photos, out, "--limit", 1, "--gallery", "--overwrite").exit_code == 0
    assert len(entries(tmp_path / "a.html")) == 1


def test_run_reports_a_page_in_the_way_before_any_work(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.html").write_text("mine")
    result = run_job(photos, tmp_path / "a.zip", "--gallery")
    assert result.exit_code == 2
    assert "a.html exists." in result.stderr
    assert names(tmp_path) == {"photos", "a.html"}


def test_a_repaired_photo_gets_into_the_gallery(run_job: Run, photos: Path, tmp_path: Path) -> None:
    whole = (photos / "photo1.jpg").read_bytes()
    (photos / "photo1.jpg").write_bytes(b"")
    command = (photos, tmp_path / "a.zip", "--limit", 2, "--gallery")
    assert run_job(*command).exit_code == 3
    assert len(entries(tmp_path / "a.html")) == 1
    (photos / "photo1.jpg").write_bytes(whole)
    (tmp_path / "a.zip").unlink()
    result = run_job(*command)
    assert result.exit_code == 0, result.stderr
    assert len(entries(tmp_path / "a.html")) == 2


def test_an_interrupted_gallery_says_that_the_zip_is_done(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("monetize.gallery.gallery.write_pictures", interrupt)
    out = tmp_path / "a.zip"
    result = run_job(photos, out, "--limit", 1, "--gallery")
    assert result.exit_code == 130
    assert f"Interrupted. {out} is done; monetize gallery {out} builds its page." in result.stderr
    assert names(tmp_path) == {"photos", "a.zip", "a.csv", "a.json"}


@pytest.mark.parametrize("other", [(), ("--seed", 1), ("--limit", 1)])
def test_the_same_command_builds_a_gallery_whose_process_was_killed(
    run_job: Run,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    other: tuple[object, ...],
) -> None:
    out = tmp_path / "a.zip"
    command = (photos, out, "--limit", 2, "--gallery")
    kept: list[GalleryFiles] = []

    def killed(files: GalleryFiles, _page: bytes) -> None:
        kept.append(files)
        raise KeyboardInterrupt

    monkeypatch.setattr(GalleryFiles, "publish", killed)
    assert run_job(*command).exit_code == 130
    monkeypatch.undo()
    kept[0].start()  # what a process leaves that cannot clean up
    assert "a.gallery.part" in names(tmp_path)
    before = out.read_bytes()
    result = run_job(*command, *other)
    if other:
        assert result.exit_code == 2, "another command than the one that was killed"
        assert "a.zip exists" in result.stderr
        return
    assert result.exit_code == 0, result.stderr
    assert "a.zip is done; its gallery was interrupted and is built now" in result.stderr
    assert len(entries(tmp_path / "a.html")) == 2
    assert out.read_bytes() == before
    assert names(tmp_path) == {"photos", "a.zip", "a.csv", "a.json", "a.html", "a.gallery"}


@pytest.mark.parametrize("form", ["zip", "folder"])
def test_an_update_replaces_the_gallery_of_the_job(
    run_job: Run, photos: Path, tmp_path: Path, form: str
) -> None:
    output = (tmp_path / "a.zip",) if form == "zip" else ("--output-folder", tmp_path / "a")
    command = (photos, *output, "--gallery")
    assert run_job(*command).exit_code == 0
    (photos / "photo1.jpg").unlink()
    result = run_job(*command, "--update")
    assert result.exit_code == 0, result.stderr
    assert "photo1.jpg" not in [each["photo"] for each in entries(tmp_path / "a.html")]
    (photos / "photo2.jpg").unlink()
    result = run_job(photos, *output, "--update")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.splitlines()[-1] == (
        f"{tmp_path / 'a.html'} shows the job before the update; "
        f"monetize gallery {output[-1]} --overwrite rebuilds it"
    )


def test_an_update_replaces_no_other_page(
    run_job: Run, cli: Run, photos: Path, tmp_path: Path
) -> None:
    out, page = tmp_path / "a.zip", tmp_path / "a.html"
    assert run_job(photos, out, "--limit", 1).exit_code == 0
    command = (photos, out, "--gallery", "--update")
    (tmp_path / "other").mkdir()
    for file in ("a.zip", "a.csv", "a.json"):
        shutil.copy(tmp_path / file, tmp_path / "other")
    other = tmp_path / "other" / "a.zip"
    assert cli("gallery", other, "-o", page).exit_code == 0
    for _ in ("of another job", "by somebody else"):
        before = page.read_bytes()
        result = run_job(*command)
        assert result.exit_code == 2
        assert f"{page} exists, and it is not the gallery of {out}: move it away" in result.stderr
        assert page.read_bytes() == before
        assert cli("gallery", out, "--overwrite").exit_code == 0
        page.write_text("mine")
