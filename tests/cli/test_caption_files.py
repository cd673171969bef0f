"""Which photos `caption` reads, and the form in which it writes."""

import json
from pathlib import Path

import pytest

from monetize.cli.caption_files import (
    find_photos,
    output_form,
    plan_sheets,
    plan_sidecars,
    table,
)
from monetize.errors import InputError, UsageError
from monetize.images.photos import Photo

CAPTIONS, REASONS = {"a.jpg": "a tree"}, {"b.jpg": "empty file"}


def test_photos_of_several_folders_have_the_folders_in_their_names(
    photos: Path, tmp_path: Path
) -> None:
    keys = [photo.key for photo in find_photos([photos, photos / "photo0.jpg"], recursive=True)]
    assert keys[0] == f"{photos.as_posix()}/photo0.jpg"
    assert keys[-1] == str(photos / "photo0.jpg")
    assert next(photo.key for photo in find_photos([photos], recursive=True)) == "photo0.jpg"
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty"):
        find_photos([tmp_path / "empty"], recursive=True)


@pytest.mark.parametrize(
    ("form", "output", "expected"),
    [
        (None, None, None),
        ("csv", None, "csv"),
        (None, "a.csv", "csv"),
        (None, "a.JSON", "json"),
        ("json", "a.txt", "json"),
        ("csv", "a.csv", "csv"),
    ],
)
def test_the_form_is_that_of_the_flag_or_the_file(
    form: str | None, output: str | None, expected: str | None
) -> None:
    assert output_form(form, Path(output) if output else None, overwrite=False) == expected


def test_two_forms_are_refused() -> None:
    with pytest.raises(UsageError, match="different formats"):
        output_form("csv", Path("a.json"), overwrite=False)


def test_sheets_are_numbered_and_apart_from_the_table(tmp_path: Path) -> None:
    sheets = plan_sheets(tmp_path / "a.png", tmp_path / "a.csv", 2, overwrite=False)
    assert [sheet.name for sheet in sheets] == ["a-1.png", "a-2.png"]
    assert plan_sheets(None, None, 2, overwrite=False) == []
    with pytest.raises(UsageError, match="would both write"):
        plan_sheets(tmp_path / "a.png", tmp_path / "a.png", 1, overwrite=False)


def test_sidecars_go_next_to_their_photos_and_replace_nothing_silently(tmp_path: Path) -> None:
    photos = [Photo(name, tmp_path / name) for name in ("a.jpg", "b.c.png")]
    planned = plan_sidecars("sidecar", photos, overwrite=False)
    assert planned == {"a.jpg": tmp_path / "a.txt", "b.c.png": tmp_path / "b.c.txt"}
    assert plan_sidecars("csv", photos, overwrite=False) == {}
    (tmp_path / "a.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"--sidecar: .*a\.txt exists; --overwrite replaces it"):
        plan_sidecars("sidecar", photos, overwrite=False)
    (tmp_path / "b.c.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"b\.c\.txt exist; --overwrite replaces them"):
        plan_sidecars("sidecar", photos, overwrite=False)
    assert plan_sidecars("sidecar", photos, overwrite=True) == planned


def test_two_photos_of_one_sidecar_are_refused(tmp_path: Path) -> None:
    photos = [Photo(name, tmp_path / name) for name in ("a.jpg", "a.png")]
    with pytest.raises(UsageError, match=r"a\.jpg and a\.png would both go into .*a\.txt: rename"):
        plan_sidecars("sidecar", photos, overwrite=True)
    with pytest.raises(UsageError, match="next to each photo: leave out --output"):
        output_form("sidecar", tmp_path / "a.txt", overwrite=False)


def test_a_table_has_four_forms() -> None:
    assert table("csv", CAPTIONS, REASONS) == b"photo,caption\na.jpg,a tree\n"
    assert table(None, CAPTIONS, REASONS) == b"a.jpg\ta tree\n"
    objects = [{"photo": "a.jpg", "caption": "a tree"}, {"photo": "b.jpg", "error": "empty file"}]
    assert json.loads(table("json", CAPTIONS, REASONS)) == objects
    for form in ("jsonl", "ndjson"):
        lines = table(form, CAPTIONS, REASONS).splitlines()
        assert [json.loads(line) for line in lines] == objects
