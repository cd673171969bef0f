"""The paintings of a job as files in a folder: whole, resumable, and nobody else's files."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import Run, members, names, rows
from PIL import Image

from monetize.atomic_files import flush_all, write_bytes, write_many
from monetize.images.photos import find

PAINTINGS = {f"photo{i}.jpg" for i in range(6)}
REPORTS = {"monetize.csv", "monetize.json"}


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_folder_holds_what_the_zip_would_and_its_reports(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "paintings"
    result = run_job(photos, "--output-folder", out, "--no-metadata")
    assert result.exit_code == 0, result.stderr
    assert f"in {out}\n" in result.stderr
    assert "contest" not in result.stderr
    assert "resized to 256 × 256 in the folder" in result.stderr
    assert names(out) == PAINTINGS | REPORTS
    assert names(tmp_path) == {"photos", "paintings"}
    run_job(photos, tmp_path / "a.zip")
    assert {name: content(out)[name] for name in PAINTINGS} == members(tmp_path / "a.zip")
    assert (out / "monetize.csv").read_bytes() == (tmp_path / "a.csv").read_bytes()


def test_files_in_a_folder_say_how_they_were_painted(
    run_job: Run, cli: Run, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "paintings"
    run_job(photos, "--output-folder", out, "--limit", 1)
    [row] = rows(out / "monetize.csv")
    shown = cli("info", out / row["file"]).stdout
    assert row["prompt"] in shown


def test_exactly_one_output_is_given(run_job: Run, photos: Path, tmp_path: Path) -> None:
    for outputs, message in (
        ((), "give the zip to write, such as images.zip, or --output-folder"),
        ((tmp_path / "a.zip", "--output-folder", tmp_path / "b"), "are given: leave out one"),
    ):
        refused = run_job(photos, *outputs)
        assert refused.exit_code == 2
        assert message in refused.stderr
    assert names(tmp_path) == {"photos"}


@pytest.mark.parametrize(("at", "made"), [(1, 0), (2, 1), (3, 1), (4, 7)])
def test_a_job_cut_off_while_it_fills_the_folder_ends_with_the_same_files(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, made: int
) -> None:
    out, whole = tmp_path / "paintings", tmp_path / "whole"
    run_job(photos, "--output-folder", whole)
    calls = 0

    def cut_off(write: Callable[..., None]) -> Callable[..., None]:
        def writes(*arguments: Any) -> None:
            nonlocal calls
            calls += 1
            if calls == at:
                raise KeyboardInterrupt
            write(*arguments)

        return writes

    with monkeypatch.context() as patch:
        patch.setattr("monetize.job.publication.write_bytes", cut_off(write_bytes))
        patch.setattr("monetize.job.publication.write_many", cut_off(write_many))
        patch.setattr("monetize.atomic_files.flush_all", cut_off(flush_all))
        stopped = run_job(photos, "--output-folder", out)
    assert stopped.exit_code == 130, stopped.stderr
    assert f"are kept in {out}.work; the same command continues" in stopped.stderr
    assert len(names(out)) == made
    resumed = run_job(photos, "--output-folder", out)
    assert resumed.exit_code == 0, resumed.stderr
    assert content(out) == content(whole)
    assert names(tmp_path) == {"photos", "paintings", "whole"}


def test_a_folder_cut_off_behind_its_last_file_is_found_done(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "paintings"
    with monkeypatch.context() as patch:
        patch.setattr("monetize.job.workspace.Workspace.finish", cut_off)
        assert run_job(photos, "--output-folder", out).exit_code == 130
    done = run_job(photos, "--output-folder", out)
    assert done.exit_code == 0
    assert "Painting" not in done.stderr
    assert names(tmp_path) == {"photos", "paintings"}


def test_a_finished_folder_is_updated_or_replaced_only_if_told_to(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "paintings"
    run_job(photos, "--output-folder", out)
    refused = run_job(photos, "--output-folder", out)
    assert refused.exit_code == 2
    assert f"{out} exists. Use --update to keep" in refused.stderr
    (out / "notes.txt").write_text("mine")
    (out / ".monetize-0.part").write_text("left over from a killed process")
    (photos / "photo0.jpg").unlink()
    shutil.copy(photos / "photo1.jpg", photos / "photo7.jpg")
    before = (out / "photo1.jpg").stat().st_mtime_ns
    updated = run_job(photos, "--output-folder", out, "--update")
    assert updated.exit_code == 0, updated.stderr
    assert "6 paintings, 5 of them already done" in updated.stderr
    expected = (PAINTINGS - {"photo0.jpg"}) | {"photo7.jpg", "notes.txt"} | REPORTS
    assert names(out) == expected, "the painting of a photo that is gone goes, a note stays"
    after = (out / "photo1.jpg").stat().st_mtime_ns
    assert after == before, "what is equal is not written again"
    (photos / "photo7.jpg").unlink()
    again = run_job(photos, "--output-folder", out, "--overwrite", "--steps", 1)
    assert again.exit_code == 0, again.stderr
    assert names(out) == expected - {"photo7.jpg"}
    assert len(rows(out / "monetize.csv")) == 5


def test_without_its_table_a_replaced_folder_keeps_earlier_paintings_with_a_warning(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "paintings"
    run_job(photos, "--output-folder", out)
    (out / "monetize.csv").write_text("?")
    (photos / "photo0.jpg").unlink()
    result = run_job(photos, "--output-folder", out, "--overwrite")
    assert result.exit_code == 0, result.stderr
    assert f"earlier paintings in {out} are left there: " in result.stderr
    assert names(out) == PAINTINGS | REPORTS


def test_a_file_put_into_the_folder_while_the_job_ran_is_not_replaced(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "paintings"

    def late(*arguments: Any) -> bytes:
        out.mkdir(exist_ok=True)
        (out / "photo3.jpg").write_text("mine")
        return b"table"

    with monkeypatch.context() as patch:
        patch.setattr("monetize.job.report.table", late)
        refused = run_job(photos, "--output-folder", out)
    assert refused.exit_code == 2
    assert "photo3.jpg appeared while the job ran: move it away" in refused.stderr
    assert (out / "photo3.jpg").read_text() == "mine"
    assert names(out) == {"photo3.jpg"}
    (out / "photo3.jpg").unlink()
    assert run_job(photos, "--output-folder", out).exit_code == 0
    assert names(out) == PAINTINGS | REPORTS


def test_the_folder_may_be_among_the_photos(run_job: Run, photos: Path) -> None:
    out = photos / "paintings"
    for flags in ((), ("--update",), ("--overwrite", "--no-metadata", "--keep-work")):
        result = run_job(photos, "--output-folder", out, *flags)
        assert result.exit_code == 0, result.stderr
        assert "Photos: 6 in" in result.stderr
        assert names(out) == PAINTINGS | REPORTS
    found = find(photos)
    assert len(found.photos) == 6
    assert found.passed_over == "the folders paintings, paintings.work"


def test_a_folder_of_paintings_has_a_gallery_and_counts_as_images(
    run_job: Run, cli: Run, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "2024.paintings"
    result = run_job(photos, "--output-folder", out, "--gallery")
    assert result.exit_code == 0, result.stderr
    assert names(tmp_path) == {
        "photos", "2024.paintings", "2024.paintings.html", "2024.paintings.gallery",
    }  # fmt: skip
    assert len(names(tmp_path / "2024.paintings.gallery" / "paintings")) == 6
    moved = out.rename(tmp_path / "moved")
    assert cli("gallery", moved).exit_code == 0
    assert (tmp_path / "moved.html").exists()
    assert len(find(moved).photos) == 6
    refused = cli("check", moved)
    assert refused.exit_code == 2
    assert "this is a folder; expected a zip" in refused.stderr


def test_photos_of_subfolders_have_the_names_that_they_have_in_a_zip(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    (photos / "sub").mkdir()
    Image.open(photos / "photo1.jpg").save(photos / "sub" / "photo0.png")
    run_job(photos, "--output-folder", tmp_path / "paintings")
    assert names(tmp_path / "paintings") == PAINTINGS | {"photo0-2.jpg"} | REPORTS
