"""A finished job becomes a gallery."""

import io
from pathlib import Path

from finished_job import CAPTIONS, FILES, data, entries
from helpers import Run, members, names
from PIL import Image

from monetize.images.photos import GALLERY_MARK


def test_a_zip_becomes_a_page_and_a_folder_of_pictures(cli: Run, out: Path) -> None:
    result = cli("gallery", out)
    assert result.exit_code == 0, result.stderr
    page, folder = out.with_suffix(".html"), out.with_suffix(".gallery")
    assert result.stderr.splitlines()[-1] == f"Gallery: {page}"
    assert "Warning" not in result.stderr
    assert names(folder) == {"paintings", "photos", GALLERY_MARK}
    assert names(folder / "paintings") == names(folder / "photos") == set(FILES)
    for file, painting in members(out).items():
        assert (folder / "paintings" / file).read_bytes() == painting
        photo = Image.open(folder / "photos" / file)
        assert (photo.format, photo.size) == ("JPEG", (96, 64)), "whole, as large as the painting"
    shown = entries(page)
    assert [each["file"] for each in shown] == list(FILES)
    assert [each["caption"] for each in shown] == list(CAPTIONS)
    assert shown[2]["seed"] == str(2**64 - 1)
    assert shown[1]["weights"] == ["pine=-1", "red sun=2.5e-07", "@6=-17"]
    assert all(each["has_photo"] for each in shown)
    text = page.read_text("utf-8")
    assert "4 paintings by sd-v1-4; captions by vit-gpt2; 1 photo could not be read" in text


def test_quiet_says_nothing(cli: Run, out: Path) -> None:
    assert cli("gallery", out, "--quiet").output == ""


def test_output_names_page_and_folder(cli: Run, out: Path, tmp_path: Path) -> None:
    assert cli("gallery", out, "-o", tmp_path / "show it.html").exit_code == 0
    assert len(names(tmp_path / "show it.gallery" / "paintings")) == 4
    assert data(tmp_path / "show it.html")["folder"] == "show%20it.gallery"


def test_a_damaged_painting_leaves_no_gallery(cli: Run, out: Path) -> None:
    out.write_bytes(out.read_bytes().replace(b"JFIF", b"JFIX", 1))
    result = cli("gallery", out)
    assert result.exit_code == 1
    assert "images.zip: CRC mismatch" in result.stderr
    assert names(out.parent) == {"photos", "images.zip", "images.csv", "images.json"}


def test_the_command_of_a_painting_from_a_photo_names_the_photo(
    cli: Run, run_job: Run, photos: Path, tmp_path: Path
) -> None:
    out, painting = tmp_path / "a.zip", tmp_path / "again.png"
    start = ("--strength", 0.5, "--output-size", 64)
    run_job(photos, out, "--limit", 1, *start, "--gallery")
    page = tmp_path / "a.html"
    [shown] = entries(page)
    settings = shown["settings"]
    assert isinstance(settings, list)
    arguments = ["--seed", shown["seed"], *data(page)["options"], *settings]
    assert arguments[-2:] == ["--init-image", str(photos / "photo0.jpg")]
    assert cli("paint", shown["prompt"], *arguments, "-o", painting).exit_code == 0
    buffer = io.BytesIO()
    Image.open(painting).save(buffer, "JPEG", quality=95)
    assert buffer.getvalue() == members(out)["photo0.jpg"]
