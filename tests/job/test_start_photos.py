"""Jobs whose paintings start from their photos."""

import io
import json
from pathlib import Path

import pytest
from helpers import BUNDLED_PHOTOS, Run, Tiny, members, rows
from PIL import Image

from monetize.job.outputs import Outputs
from monetize.job.report_reader import read_results

FROM_PHOTOS = ("--strength", 0.5)


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    path = tmp_path / "given.csv"
    lines = [f"photo{i}.jpg,a lake" for i in range(6)]
    path.write_text("photo,caption\n" + "\n".join(lines))
    return path


def test_each_painting_starts_from_its_own_photo(
    run_job: Run, photos: Path, tmp_path: Path, captions: Path
) -> None:
    given = ("--captions", captions, "--shared-seed")
    result = run_job(photos, tmp_path / "a.zip", *given, *FROM_PHOTOS)
    assert result.exit_code == 0, result.stderr
    assert "Starting from the photos, with 1 of 2 steps" in result.stderr
    assert "Photos of another shape are cropped (--fit pad or squash" in result.stderr
    # One caption and one seed: what differs comes from the photos.
    assert len(set(members(tmp_path / "a.zip").values())) == 6
    assert {row["evaluations"] for row in rows(tmp_path / "a.csv")} == {"1"}
    assert all(len(row["photo_sha256"]) == 64 for row in rows(tmp_path / "a.csv"))
    paint = json.loads((tmp_path / "a.json").read_text())["settings"]["paint"]
    assert paint["strength"] == 0.5
    run_job(photos, tmp_path / "words.zip", *given)
    assert len(set(members(tmp_path / "words.zip").values())) == 1


def test_batches_of_photos_paint_the_same(
    run_job: Run, photos: Path, tmp_path: Path, captions: Path
) -> None:
    arguments = ("--captions", captions, *FROM_PHOTOS, "--output-size", 64)
    run_job(photos, tmp_path / "one.zip", *arguments)
    run_job(photos, tmp_path / "four.zip", *arguments, "--batch-size", 4)
    run_job(photos, tmp_path / "again.zip", *arguments)
    one, four = (members(tmp_path / f"{name}.zip") for name in ("one", "four"))
    assert list(one) == list(four)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "again.zip").read_bytes()


def test_a_job_is_not_resumed_with_another_strength(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    run_job(photos, tmp_path / "a.zip", *FROM_PHOTOS, "--keep-work")
    (tmp_path / "a.zip").unlink()
    result = run_job(photos, tmp_path / "a.zip", "--strength", 0.75)
    assert result.exit_code == 2
    assert "--strength: 0.5 then, 0.75 now" in result.stderr


@pytest.mark.parametrize("given", [True, False])
def test_a_photo_that_changed_is_painted_again(
    run_job: Run, photos: Path, tmp_path: Path, captions: Path, given: bool
) -> None:
    arguments = (*FROM_PHOTOS, *(("--captions", captions) if given else ()))
    out = tmp_path / "a.zip"
    run_job(photos, out, *arguments, "--keep-work")
    before = members(out)
    out.unlink()
    Image.open(BUNDLED_PHOTOS / "cat.jpg").save(photos / "photo3.jpg")
    result = run_job(photos, out, *arguments)
    assert result.exit_code == 0, result.stderr
    assert "Painting: 6 paintings, 5 of them already done" in result.stderr
    after = members(out)
    assert {name for name in after if after[name] != before[name]} == {"photo3.jpg"}


def test_a_changed_photo_matters_to_update_only_if_paintings_start_from_it(
    run_job: Run, photos: Path, tmp_path: Path, captions: Path
) -> None:
    for start in (FROM_PHOTOS, ()):
        out = tmp_path / f"{len(start)}.zip"
        run_job(photos, out, "--captions", captions, *start)
        Image.open(BUNDLED_PHOTOS / "cat.jpg").rotate(len(start)).save(photos / "photo3.jpg")
        result = run_job(photos, out, "--captions", captions, *start, "--update")
        assert result.exit_code == 0, result.stderr
        again = "Painting: 6 paintings, 5 of them already done" in result.stderr
        assert again == (start is FROM_PHOTOS)


def test_an_unreadable_photo_is_listed_even_if_its_caption_is_given(
    run_job: Run, photos: Path, tmp_path: Path, captions: Path
) -> None:
    (photos / "photo2.jpg").write_bytes((photos / "photo2.jpg").read_bytes()[:300])
    result = run_job(photos, tmp_path / "a.zip", "--captions", captions, *FROM_PHOTOS)
    assert result.exit_code == 3, result.stderr
    assert "photo2.jpg" not in members(tmp_path / "a.zip")
    [bad] = [row for row in rows(tmp_path / "a.csv") if row["photo"] == "photo2.jpg"]
    assert bad["status"] == "unreadable"
    assert bad["error"]


@pytest.mark.parametrize(
    ("strength", "message"),
    [
        (0, "--strength must be greater than 0 and at most 1, not 0.0"),
        (2, "--strength must be greater than 0 and at most 1, not 2.0"),
        (0.1, "--strength 0.1 with 2 steps: 2 × 0.1 is less than one step: use --steps 10"),
    ],
)
def test_an_impossible_strength_is_refused_before_any_work(
    run_job: Run, photos: Path, tmp_path: Path, strength: float, message: str
) -> None:
    result = run_job(photos, tmp_path / "a.zip", "--strength", strength)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "a.zip.work").exists()


def test_a_time_budget_knows_that_fewer_steps_are_made(
    cli: Run, tiny: Tiny, photos: Path, tmp_path: Path
) -> None:
    arguments = ("--steps", 8, "--strength", 0.2, "--time-budget", "10m", *tiny.flags)
    result = cli("run", photos, tmp_path / "a.zip", "--limit", 2, *arguments)
    assert result.exit_code == 0, result.stderr
    assert "8 steps as requested" in result.stderr
    assert {row["evaluations"] for row in rows(tmp_path / "a.csv")} == {"1"}


def test_the_reports_record_that_paintings_start_from_photos(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    run_job(photos, tmp_path / "a.zip", "--limit", 1, *FROM_PHOTOS)
    results = read_results(Outputs(tmp_path / "a.zip"))
    assert results.from_photos
    options = results.paint_options or ()
    assert options[options.index("--strength") + 1] == "0.5"


@pytest.fixture
def shapes(photos: Path) -> Path:
    """Six photos, of which two are wide and one is high."""
    for i, size in ((1, (96, 48)), (4, (48, 96)), (5, (96, 48))):
        Image.open(BUNDLED_PHOTOS / "cat.jpg").resize(size).save(photos / f"photo{i}.jpg")
    return photos


def sizes(out: Path) -> list[tuple[int, int]]:
    return [Image.open(io.BytesIO(data)).size for data in members(out).values()]


def test_paintings_keep_the_shapes_of_their_photos(
    run_job: Run, shapes: Path, tmp_path: Path
) -> None:
    out = tmp_path / "a.zip"
    fit = ("--size", "fit", "--output-size", "fit", "--batch-size", 4)
    result = run_job(shapes, out, *fit, *FROM_PHOTOS)
    assert result.exit_code == 0, result.stderr
    assert "Painting in the shapes of the photos\n" in result.stderr
    assert "cropped" not in result.stderr
    square, wide, high = (72, 56), (88, 48), (48, 88)
    assert sizes(out) == [square, wide, square, square, high, wide]
    words = tmp_path / "words.zip"
    assert run_job(shapes, words, *fit).exit_code == 0
    assert sizes(words) == sizes(out)


def test_paintings_of_other_shapes_are_fitted_with_a_message(
    run_job: Run, shapes: Path, tmp_path: Path
) -> None:
    cropped = run_job(shapes, tmp_path / "a.zip", "--size", "fit", "--output-size", 32)
    assert "Painting in the shapes of the photos, resized to 32 × 32 in the zip" in cropped.stderr
    assert "Paintings of another shape are cropped (--fit pad or squash" in cropped.stderr
    assert set(sizes(tmp_path / "a.zip")) == {(32, 32)}
    padded = run_job(
        shapes, tmp_path / "b.zip", "--size", "64x48", "--output-size", "32x32", "--fit", "pad"
    )
    assert "Painting at 64 × 48 pixels, resized to 32 × 32 in the zip" in padded.stderr
    assert "cropped" not in padded.stderr
    first = Image.open(io.BytesIO(members(tmp_path / "b.zip")["photo0.jpg"]))
    assert first.getpixel((16, 1)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--size", "50"), "multiples of 8, such as 48 or 56"),
        (("--size", "64x"), "'64x' is not a size: write a whole number, WIDTHxHEIGHT such as"),
        (("--output-size", "0x9"), "--output-size must be at least 1, not '0x9'"),
        (("--fit", "stretch"), "'stretch' is not one of 'crop', 'pad', 'squash'"),
        (("--size", "fit", "--compile"), "--compile with --size fit would compile each shape"),
    ],
)
def test_an_impossible_shape_is_refused(
    run_job: Run, photos: Path, tmp_path: Path, flags: tuple[str, ...], message: str
) -> None:
    result = run_job(photos, tmp_path / "a.zip", *flags)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "a.zip.work").exists()
