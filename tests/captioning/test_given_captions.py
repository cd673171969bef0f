"""Captions in every form that people keep them in."""

from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import Run, Tiny, members, rows

from monetize.captioning.given_captions import read_given_captions

COMPOSED, DECOMPOSED = "caf\u00e9.jpg", "cafe\u0301.jpg"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", f"photo,caption\n{COMPOSED},a café\n"),
        ("a.tsv", f"file_name\ttext\n{COMPOSED}\ta café\n"),
        ("a.json", f'{{"{COMPOSED}": "a café"}}'),
        ("a.jsonl", f'{{"file_name": "{COMPOSED}", "text": "a café"}}'),
        ("a.ndjson", f'{{"file_name": "{COMPOSED}", "text": "a café"}}'),
        ("caf\u00e9.txt", "a café"),
    ],
)
def test_every_form_is_matched_with_photos_in_any_unicode_form(
    tmp_path: Path, name: str, text: str
) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    source = tmp_path if path.suffix == ".txt" else path
    assert read_given_captions(source, [DECOMPOSED]) == ({DECOMPOSED: "a café"}, "")


def as_csv(cli: Run, photos: Path, tmp_path: Path, flags: tuple[object, ...]) -> Path:
    cli("caption", photos, *flags, "-o", tmp_path / "a.csv")
    return tmp_path / "a.csv"


def as_json(cli: Run, photos: Path, tmp_path: Path, flags: tuple[object, ...]) -> Path:
    cli("caption", photos, *flags, "-o", tmp_path / "a.json")
    return tmp_path / "a.json"


def as_json_lines(cli: Run, photos: Path, tmp_path: Path, flags: tuple[object, ...]) -> Path:
    cli("caption", photos, *flags, "-o", tmp_path / "a.jsonl")
    return tmp_path / "a.jsonl"


def as_sidecars(cli: Run, photos: Path, tmp_path: Path, flags: tuple[object, ...]) -> Path:
    result = cli("caption", photos, *flags, "--sidecar")
    assert result.stderr.splitlines()[-1] == "Done: 6 captions, each next to its photo"
    return photos


@pytest.mark.parametrize("write", [as_csv, as_json, as_json_lines, as_sidecars])
def test_captions_written_in_any_form_give_the_captioners_paintings(
    cli: Run,
    run_job: Run,
    tiny: Tiny,
    photos: Path,
    tmp_path: Path,
    write: Callable[..., Path],
) -> None:
    (photos / "sub").mkdir()
    (photos / "photo5.jpg").rename(photos / "sub" / "a, b.jpg")
    source = write(cli, photos, tmp_path, ("--captioner", tiny.captioner))
    given = run_job(photos, tmp_path / "given.zip", "--captions", source)
    assert given.exit_code == 0, given.stderr
    assert f"Captions: from {source}\n" in given.stderr
    assert "Captioner" not in given.stderr
    assert run_job(photos, tmp_path / "own.zip").exit_code == 0
    assert members(tmp_path / "given.zip") == members(tmp_path / "own.zip")


def test_missing_sidecars_are_captioned_if_asked(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    (photos / "photo0.txt").write_text("a lake")
    refused = run_job(photos, tmp_path / "a.zip", "--captions", photos, "--limit", 2)
    assert refused.exit_code == 1
    assert "no caption for 1 of the 2 photos" in refused.stderr
    made = run_job(
        photos, tmp_path / "a.zip", "--captions", photos, "--limit", 2, "--caption-missing"
    )
    assert made.exit_code == 0, made.stderr
    first, second = rows(tmp_path / "a.csv")
    assert first["caption"] == "a lake"
    assert second["caption"]


def test_coco_captions_that_are_left_out_are_reported(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    coco = tmp_path / "captions_val2014.json"
    coco.write_text(
        '{"images": [{"id": 1, "file_name": "photo0.jpg"}], "annotations": ['
        '{"image_id": 1, "caption": "a lake"}, {"image_id": 1, "caption": "water"}]}'
    )
    result = run_job(photos, tmp_path / "a.zip", "--captions", coco, "--limit", 1)
    assert result.exit_code == 0, result.stderr
    assert f"{coco} (2 captions of 1 photo: the first of each is used)" in result.stderr
    assert rows(tmp_path / "a.csv")[0]["caption"] == "a lake"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", 'photo,caption\nphoto0.jpg," "\nphoto1.jpg,a lake\n'),
        ("a.json", '{"photo0.jpg": "", "photo1.jpg": "a lake"}'),
        (
            "a.jsonl",
            '{"file_name": "photo0.jpg", "text": ""}\n{"photo": "photo1.jpg", "text": "a lake"}',
        ),
        ("photo0.txt", "\n"),
    ],
)
def test_an_empty_caption_counts_as_missing(
    run_job: Run, photos: Path, tmp_path: Path, name: str, text: str
) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (given / name).write_text(text)
    if name.endswith(".txt"):
        (given / "photo1.txt").write_text("a lake")
    source = given if name.endswith(".txt") else given / name
    command = (photos, tmp_path / "a.zip", "--captions", source, "--limit", 2)
    refused = run_job(*command)
    assert refused.exit_code == 1
    assert "no caption for 1 of the 2 photos" in refused.stderr
    assert "photo0.jpg. Empty captions: photo0.jpg. Add captions" in refused.stderr
    if name == "photo0.txt":
        assert run_job(*command, "--caption-missing").exit_code == 0
        first, second = rows(tmp_path / "a.csv")
        assert first["caption"]
        assert second["caption"] == "a lake"


def test_the_first_caption_of_coco_that_is_not_empty_is_used(tmp_path: Path) -> None:
    coco = tmp_path / "captions.json"
    coco.write_text(
        '{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": ['
        '{"image_id": 1, "caption": ""}, {"image_id": 1, "caption": "water"}]}'
    )
    assert read_given_captions(coco, ["a.jpg"])[0] == {"a.jpg": "water"}


def test_a_folder_without_sidecars_says_how_to_write_them(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    result = run_job(photos, tmp_path / "a.zip", "--captions", photos)
    assert result.exit_code == 1
    assert f"{photos}: there is no .txt file named after a photo in {photos}. " in result.stderr
    assert f"monetize caption {photos} --sidecar writes them" in result.stderr
