"""What is a photo in a folder: not monetize's own output, nor what other programs leave."""

import errno
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import BUNDLED_PHOTOS, Run, members
from PIL import Image

from monetize.errors import ReadError
from monetize.images.decoding import open_photo
from monetize.images.photos import find

JPEG = (BUNDLED_PHOTOS / "meadow.jpg").read_bytes()
HEIC_HEAD = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


def keys(folder: Path) -> list[str]:
    return [photo.key for photo in find(folder).photos]


def put(folder: Path, *names: str, data: bytes = JPEG) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def test_three_runs_in_the_photo_folder_give_the_same_paintings(run_job: Run, photos: Path) -> None:
    for _ in range(3):
        result = run_job(photos, photos / "images.zip", "--gallery", "--overwrite", "--keep-work")
        assert result.exit_code == 0, result.stderr
        assert len(members(photos / "images.zip")) == 6
    assert "the folders images.gallery, images.zip.work" in result.stderr


def test_a_renamed_workspace_or_gallery_is_still_recognized(photos: Path) -> None:
    put(photos, "backup/paintings/00000/a.jpg", "old pages/paintings/a.jpg")
    put(photos, "backup/job.json", "old pages/made-by-monetize.txt", data=b"{}")
    found = find(photos)
    assert len(found.photos) == 6
    assert found.folders == ("backup", "old pages")


@pytest.mark.parametrize(
    "folder",
    [
        *("@eaDir", "#recycle", "@Recycle", "$RECYCLE.BIN", "System Volume Information"),
        *(".thumbnails", ".Trash-1000", "__MACOSX", "lost+found", "Previews.lrdata"),
    ],
)
def test_folders_of_other_programs_are_passed_over(photos: Path, folder: str) -> None:
    put(photos, f"{folder}/a.jpg", f"sub/{folder}/deep/b.jpg")
    found = find(photos)
    assert len(found.photos) == 6
    assert found.folders == (() if folder.startswith(".") else (folder, f"sub/{folder}"))


def test_such_a_folder_is_read_if_it_is_the_one_that_was_named(tmp_path: Path) -> None:
    put(tmp_path, "@eaDir/a.jpg", "gallery/photos/b.jpg")
    put(tmp_path, "gallery/made-by-monetize.txt", data=b"")
    assert keys(tmp_path / "@eaDir") == ["a.jpg"]
    assert keys(tmp_path / "gallery") == ["photos/b.jpg"]


def test_photos_are_recognized_by_content_under_any_name(tmp_path: Path) -> None:
    names = ["a.jfif", "b.jpe", "c.JPG_large", "d", "e.dat", "f.txt", "g.pjpeg", "h.2024"]
    put(tmp_path, *names)
    assert keys(tmp_path) == names
    assert all(open_photo(photo.path).mode == "RGB" for photo in find(tmp_path).photos)


def test_kinds_of_other_files_are_named(tmp_path: Path) -> None:
    put(tmp_path, "a.jpg", "b.mov", "c.MP4", "d", "e.part", "f.jpg~")
    put(tmp_path, "g.cr2", "h.NEF", data=b"II*\0")  # Pillow would show their thumbnails
    put(tmp_path, "i", data=b"\0\0\0\x18ftypqt  ")
    put(tmp_path, "j.xmp", "k.txt", "Thumbs.db", data=b"text")
    found = find(tmp_path)
    assert [photo.key for photo in found.photos] == ["a.jpg", "d"]
    assert found.passed_over == (
        "1 backup file, 1 incomplete file, 2 raw files, 1 sidecar file, 3 videos, 2 other files"
    )


def test_a_damaged_photo_is_reported_and_not_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "a.jpg", data=b"")
    put(tmp_path, "b.png", data=b"<!doctype html>")
    assert keys(tmp_path) == ["a.jpg", "b.png"]


def test_missing_heic_support_is_known_before_the_work(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    put(photos, "photo1.jpg", "z.heic", data=HEIC_HEAD)
    result = run_job(photos, tmp_path / "images.zip")
    assert result.exit_code == 3
    warning = "2 of 7 photos cannot be read: photo1.jpg, z.heic. HEIC photos need another package"
    assert result.stderr.index(warning) < result.stderr.index("Captioner: ")


def test_heic_is_read_by_content_in_any_order_of_threads(tmp_path: Path) -> None:
    """A thread must not depend on another having opened a file named .heic before."""
    heif = pytest.importorskip("pillow_heif")
    image = Image.new("RGB", (64, 64), "red")
    heif.from_pillow(image).save(tmp_path / "a.heic")
    shutil.copy(tmp_path / "a.heic", tmp_path / "b.jpg")
    for name in ("b.jpg", "a.heic"):
        red, *others = open_photo(tmp_path / name).getpixel((9, 9))  # type: ignore[misc]
        assert red > 240 and max(others) < 15


def failing(times: int, number: int) -> Callable[[Path], bytes]:
    """A Path.read_bytes that fails so many times on photo3."""
    read_bytes, left = Path.read_bytes, [times]

    def read(path: Path) -> bytes:
        if path.name == "photo3.jpg" and left[0]:
            left[0] -= 1
            raise OSError(number, os.strerror(number))
        return read_bytes(path)

    return read


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO])
def test_a_failing_system_is_retried_and_not_blamed_on_the_photo(
    photos: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", failing(1, number))
        assert open_photo(photos / "photo3.jpg").size == (48, 40)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", failing(2, number))
        with pytest.raises(ReadError, match=r"photo3\.jpg: cannot be read: "):
            open_photo(photos / "photo3.jpg")


def test_a_failing_system_stops_the_job_which_resumes(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "images.zip"
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", failing(99, errno.EIO))
        stopped = run_job(photos, out)
    assert stopped.exit_code == 1
    assert "photo3.jpg: cannot be read: the disk failed" in stopped.stderr
    assert "are kept in" in stopped.stderr and not out.exists()
    assert run_job(photos, out).exit_code == 0
    assert len(members(out)) == 6


def test_a_lost_drive_stops_the_job_too(photos: Path) -> None:
    photo = find(photos).photos[0]
    shutil.rmtree(photos)
    with pytest.raises(ReadError, match="the folder has disappeared: is its drive connected"):
        open_photo(photo.path)


def test_names_that_windows_or_a_mac_rejects_are_changed_and_reported(
    run_job: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    put(folder, "CON.jpg", "café.jpg", "cafe\N{COMBINING ACUTE ACCENT}.jpg", "dot..jpg")
    result = run_job(folder, tmp_path / "images.zip")
    assert result.exit_code == 0, result.stderr
    names = sorted(members(tmp_path / "images.zip"))
    assert names == ["CON_.jpg", "cafe\N{COMBINING ACUTE ACCENT}.jpg", "café-2.jpg", "dot_.jpg"]
    warning = "changed in the zip: CON.jpg is CON_.jpg, dot..jpg is dot_.jpg"
    assert warning in result.stderr
