"""`monetize caption`."""

import csv
import io
import json
from pathlib import Path

from helpers import BUNDLED_PHOTOS, Run, Tiny, members, rows


def test_one_photo_prints_only_its_caption(cli: Run, tiny: Tiny) -> None:
    photo = BUNDLED_PHOTOS / "temple.jpg"
    result = cli("caption", photo, "--captioner", tiny.captioner)
    assert result.exit_code == 0, result.stderr
    [caption] = result.stdout.splitlines()
    assert "\t" not in caption
    both = cli("caption", photo, BUNDLED_PHOTOS / "cat.jpg", "--captioner", tiny.captioner)
    assert both.stdout.splitlines()[0] == f"{photo}\t{caption}"


def test_a_folders_captions_fit_run(
    cli: Run, run_job: Run, tiny: Tiny, photos: Path, tmp_path: Path
) -> None:
    (photos / "sub").mkdir()
    (photos / "photo5.jpg").rename(photos / "sub" / "a, b.jpg")
    table = tmp_path / "captions.csv"
    result = cli("caption", photos, "--captioner", tiny.captioner, "-o", table)
    assert result.stderr.splitlines()[-1] == f"Done: 6 captions in {table}"
    assert [row["photo"] for row in rows(table)][-1] == "sub/a, b.jpg"
    given = run_job(photos, tmp_path / "given.zip", "--captions", table)
    assert given.exit_code == 0, given.stderr
    run_job(photos, tmp_path / "own.zip")
    assert members(tmp_path / "given.zip") == members(tmp_path / "own.zip")


def test_captions_are_printed_as_csv_and_json(cli: Run, tiny: Tiny, photos: Path) -> None:
    flags = ("--captioner", tiny.captioner)
    table = list(csv.DictReader(io.StringIO(cli("caption", photos, "--csv", *flags).stdout)))
    objects = json.loads(cli("caption", photos, "--json", *flags).stdout)
    lines = cli("caption", photos, *flags).stdout.splitlines()
    assert table == objects
    assert lines == [f"{row['photo']}\t{row['caption']}" for row in table]
    assert [row["photo"] for row in table] == [f"photo{i}.jpg" for i in range(6)]


def test_a_bad_photo_is_reported_next_to_the_captions(cli: Run, tiny: Tiny, photos: Path) -> None:
    (photos / "photo2.jpg").write_bytes(b"")
    result = cli("caption", photos, "--captioner", tiny.captioner, "--json")
    assert result.exit_code == 3
    assert "cannot read photo2.jpg: empty file" in result.stderr
    objects = json.loads(result.stdout)
    assert {"photo": "photo2.jpg", "error": "empty file"} in objects
    assert sum("caption" in each for each in objects) == 5


def test_a_bad_photo_is_reported_before_the_end(cli: Run, tiny: Tiny, photos: Path) -> None:
    for number in range(1, 6):
        (photos / f"photo{number}.jpg").write_bytes(b"")
    result = cli("caption", photos, "--captioner", tiny.captioner, "--sidecar")
    assert "cannot read photo5.jpg" in result.stderr.splitlines()[-2]
    assert result.stderr.splitlines()[-1] == "Done: 1 caption, next to its photo"


def test_caption_requires_one_form_and_at_least_one_photo(
    cli: Run, tiny: Tiny, tmp_path: Path
) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"")
    flags = ("--captioner", tiny.captioner)
    both = cli("caption", photo, "--csv", "-o", tmp_path / "a.json", *flags)
    assert both.exit_code == 2
    assert "a.json and --csv are different formats: keep one" in both.stderr
    none = cli("caption", photo, *flags)
    assert none.exit_code == 1
    assert f"None of the photos can be read: {photo}: empty file" in none.stderr


def test_caption_replaces_no_file_silently(cli: Run, tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("mine")
    photo = BUNDLED_PHOTOS / "cat.jpg"
    command = ("caption", photo, "--captioner", tiny.captioner, "-o", tmp_path / "a.csv")
    refused = cli(*command)
    assert refused.exit_code == 2
    assert (tmp_path / "a.csv").read_text() == "mine"
    assert cli(*command, "--overwrite").exit_code == 0
    assert rows(tmp_path / "a.csv")[0]["photo"] == str(photo)
