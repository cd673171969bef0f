"""What `monetize run` does with bad input: the outcome at the command line, not in a module."""

import errno
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from bad_photos import BAD_PHOTOS
from helpers import Run, Tiny, close_to_others, members, names, nobody, open_to_others, rows
from PIL import Image

from monetize import atomic_files


@pytest.mark.parametrize(("name", "save", "why"), BAD_PHOTOS.values(), ids=list(BAD_PHOTOS))
def test_a_bad_photo_is_listed_and_does_not_stop_the_others(
    run_job: Run,
    photos: Path,
    tmp_path: Path,
    name: str,
    save: Callable[[Path], object],
    why: str,
) -> None:
    save(photos / name)
    result = run_job(photos, tmp_path / "out.zip", "--limit", 3)
    assert result.exit_code == 3
    assert "Warning: 1 of 3 photos could not be read:" in result.stderr
    assert f"{name}: {why}" in result.stderr
    assert list(members(tmp_path / "out.zip")) == ["photo0.jpg", "photo1.jpg"]
    bad, *good = rows(tmp_path / "out.csv")
    assert (bad["photo"], bad["status"], bad["file"]) == (name, "unreadable", "")
    assert bad["error"].startswith(why)
    assert {row["status"] for row in good} == {"painted"}


def test_a_repaired_photo_joins_the_others(run_job: Run, photos: Path, tmp_path: Path) -> None:
    whole = photos / "photo3.jpg"
    data = whole.read_bytes()
    whole.write_bytes(b"")
    out = tmp_path / "out.zip"
    result = run_job(photos, out)
    assert result.exit_code == 3
    assert (
        "Fix them, and run the same command with --update: it paints only the missing"
        in result.stderr
    )
    whole.write_bytes(data)
    repaired = run_job(photos, out, "--update")
    assert repaired.exit_code == 0, repaired.stderr
    assert "Painting: 6 paintings, 5 of them already done" in repaired.stderr
    run_job(photos, tmp_path / "fresh.zip")
    assert out.read_bytes() == (tmp_path / "fresh.zip").read_bytes()


def test_photos_of_odd_forms_are_all_painted(run_job: Run, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("CMYK", (9, 9)).save(photos / "cmyk.jpg")
    Image.new("I;16", (9, 9)).save(photos / "deep.png")
    Image.new("P", (9, 9)).save(photos / "palette.png", transparency=0)
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    frames[0].save(photos / "animated.gif", save_all=True, append_images=frames[1:])
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (9, 5)).save(photos / "turned.jpg", exif=exif)
    for name in ("été 雪.jpg", "two\nlines.jpg", os.fsdecode(b"not-utf8-\xff.jpg")):
        Image.new("RGB", (9, 9), "green").save(photos / name)
    for name in (".DS_Store", "._cmyk.jpg"):
        (photos / name).write_bytes(b"x")
    result = run_job(photos, tmp_path / "out.zip")
    assert result.exit_code == 0, result.stderr
    assert set(members(tmp_path / "out.zip")) == {
        "cmyk.jpg", "deep.jpg", "palette.jpg", "animated.jpg", "turned.jpg",
        "été 雪.jpg", "two_lines.jpg", "not-utf8-_.jpg",
    }  # fmt: skip
    assert "two\nlines.jpg" in {row["photo"] for row in rows(tmp_path / "out.csv")}


def test_photos_that_cannot_be_read_at_all_fail_the_job(run_job: Run, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "a.jpg").write_bytes(b"")
    result = run_job(photos, tmp_path / "out.zip")
    assert result.exit_code == 1
    assert "Error: None of the photos can be read: a.jpg: empty file" in result.stderr
    assert not (tmp_path / "out.zip").exists()


def test_a_photo_without_permission_is_listed(
    run_job: Run, tiny: Tiny, photos: Path, tmp_path: Path
) -> None:
    # Nobody could not import what a first job imports.
    run_job(photos, tmp_path / "first.zip")
    for folder in (tiny.captioner, tiny.painter, photos):
        open_to_others(folder)
    close_to_others(photos / "photo1.jpg")
    tmp_path.chmod(0o777)
    with nobody():
        result = run_job(photos, tmp_path / "out.zip")
    assert result.exit_code == 3, result.stderr
    assert "photo1.jpg: permission denied" in result.stderr.lower()


@pytest.mark.parametrize(
    ("photos_name", "out", "code", "message"),
    [
        ("nowhere", "out.zip", 2, "Directory 'nowhere' does not exist"),
        ("empty", "out.zip", 1, "empty: no photos in this folder. Photos are JPEG, "),
        ("photos", "nowhere/out.zip", 2, "there is no folder nowhere: create it first"),
        ("photos", "out.tar", 2, "the output is a zip: give it a name such as images.zip"),
        ("photos", "out", 2, "or write the paintings into a folder with --output-folder"),
        ("photos", "folder.zip", 2, "folder.zip is a folder: use another name"),
    ],
)
def test_wrong_places_are_named(
    run_job: Run,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    photos_name: str,
    out: str,
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder.zip").mkdir()
    before = names(tmp_path)
    result = run_job(photos_name, out)
    assert result.exit_code == code
    assert message in result.stderr
    assert names(tmp_path) == before


def test_a_read_only_folder_is_named(
    run_job: Run, tiny: Tiny, photos: Path, tmp_path: Path
) -> None:
    run_job(photos, tmp_path / "first.zip")
    for folder in (tiny.captioner, tiny.painter, photos):
        open_to_others(folder)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    with nobody():
        result = run_job(photos, closed / "out.zip")
    assert result.exit_code == 1
    assert "out.zip.work: cannot be written: permission denied" in result.stderr


def test_the_zip_may_lie_among_the_photos(run_job: Run, photos: Path) -> None:
    assert run_job(photos, photos / "out.zip", "--keep-work").exit_code == 0
    assert len(members(photos / "out.zip")) == 6
    again = run_job(photos, photos / "again.zip")
    assert again.exit_code == 0
    assert "Photos: 6 in" in again.stderr, "paintings of the kept workspace are no photos"


def test_a_full_disk_ends_in_a_clear_error_and_a_resumable_job(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_job(photos, tmp_path / "whole.zip")
    flushes = 0

    def flush(file: object) -> None:
        nonlocal flushes
        flushes += 1
        if flushes > 7:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic_files, "flush_to_disk", flush)
    monkeypatch.setattr("monetize.job.painting_store.flush_to_disk", flush)
    full = run_job(photos, tmp_path / "out.zip")
    assert full.exit_code == 1
    assert "the disk is full; free some space. 6 captions and 2 of 6 paintings are kept in" in (
        full.stderr
    )
    assert not (tmp_path / "out.zip").exists()
    monkeypatch.undo()
    assert run_job(photos, tmp_path / "out.zip").exit_code == 0
    assert (tmp_path / "out.zip").read_bytes() == (tmp_path / "whole.zip").read_bytes()


def test_a_disk_that_is_really_full(run_job: Run, photos: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=120k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small disk")
    try:
        full = run_job(photos, disk / "out.zip")
        assert full.exit_code == 1
        assert "cannot be written: the disk is full; free some space" in full.stderr
        assert not (disk / "out.zip").exists()
        resize = ["mount", "-o", "remount,size=10m", str(disk)]
        subprocess.run(resize, check=True)
        resumed = run_job(photos, disk / "out.zip")
        assert resumed.exit_code == 0
        assert "of them already done" in resumed.stderr
    finally:
        subprocess.run(["umount", str(disk)], check=True)
