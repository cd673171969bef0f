"""Jobs that paint captions given by the user."""

from pathlib import Path

from helpers import FinishedJob, Run, Tiny, members, names, rows


def test_given_captions_are_painted(run_job: Run, photos: Path, tmp_path: Path) -> None:
    captions = tmp_path / "given.csv"
    captions.write_text("image,caption\n" + "".join(f"photo{i}.jpg,a lake {i}\n" for i in range(6)))
    result = run_job(photos, tmp_path / "a.zip", "--captions", captions)
    assert result.exit_code == 0, result.stderr
    assert [row["caption"] for row in rows(tmp_path / "a.csv")] == [f"a lake {i}" for i in range(6)]
    assert "Captioning" not in result.stderr


def test_given_captions_must_cover_the_photos(run_job: Run, photos: Path, tmp_path: Path) -> None:
    captions = tmp_path / "given.csv"
    captions.write_text("photo,caption\nphoto1.jpg,a lake\n")
    result = run_job(photos, tmp_path / "a.zip", "--captions", captions)
    assert result.exit_code == 1
    assert "no caption for 5 of the 6 photos" in result.stderr
    assert "photo0.jpg, photo2.jpg, photo3.jpg and 2 more. Add captions for them" in result.stderr
    assert names(tmp_path) == {"photos", "given.csv"}


def test_given_captions_may_omit_a_photo_that_cannot_be_read(
    cli: Run, run_job: Run, tiny: Tiny, photos: Path, tmp_path: Path
) -> None:
    (photos / "photo2.jpg").write_bytes(b"")
    captions = tmp_path / "captions.csv"
    made = cli("caption", photos, "--captioner", tiny.captioner, "-o", captions)
    assert made.exit_code == 3
    result = run_job(photos, tmp_path / "a.zip", "--captions", captions)
    assert result.exit_code == 3, result.stderr
    assert "photo2.jpg: empty file" in result.stderr
    assert len(members(tmp_path / "a.zip")) == 5


def test_captions_without_a_photo_are_reported(run_job: Run, photos: Path, tmp_path: Path) -> None:
    captions = tmp_path / "given.csv"
    captions.write_text(
        "photo,caption\n"
        + "".join(f"photo{i}.jpg,a lake\n" for i in range(6))
        + "foto1.jpg,a sea\n"
    )
    result = run_job(photos, tmp_path / "a.zip", "--captions", captions)
    assert "unused captions, for photos that are not here: foto1.jpg" in result.stderr
    few = run_job(photos, tmp_path / "b.zip", "--captions", captions, "--limit", 2)
    assert "unused captions" not in few.stderr


def test_missing_captions_are_made_on_request(
    run_job: Run, finished: FinishedJob, photos: Path, tmp_path: Path
) -> None:
    given = tmp_path / "given.csv"
    given.write_text("photo,caption\nphoto2.jpg,a red sun\n")
    refused = run_job(photos, tmp_path / "a.zip", "--captions", given)
    assert refused.exit_code == 1
    assert "--caption-missing" in refused.stderr
    result = run_job(photos, tmp_path / "a.zip", "--captions", given, "--caption-missing")
    assert result.exit_code == 0, result.stderr
    ours, all_made = (
        {row["photo"]: row["caption"] for row in rows(table)}
        for table in (tmp_path / "a.csv", finished.archive.with_suffix(".csv"))
    )
    assert ours == {**all_made, "photo2.jpg": "a red sun"}
    alone = run_job(photos, tmp_path / "c.zip", "--caption-missing")
    assert alone.exit_code == 2
    assert "--caption-missing needs --captions" in alone.stderr
