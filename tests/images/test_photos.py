import os
from pathlib import Path

import pytest
from helpers import close_to_others, nobody
from PIL import Image

from monetize.errors import InputError
from monetize.images.decoding import open_photo
from monetize.images.photos import find, require_some


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def keys(folder: Path, *, recursive: bool = True) -> list[str]:
    return [photo.key for photo in find(folder, recursive=recursive).photos]


def test_photos_are_found_by_extension_in_any_case_and_sorted(tmp_path: Path) -> None:
    touch(tmp_path, "b.JPG", "a.png", "sub/c.webp", "notes.txt", "d.HEIC", "README")
    found = find(tmp_path)
    assert [photo.key for photo in found.photos] == ["a.png", "b.JPG", "d.HEIC", "sub/c.webp"]
    assert found.others == {"other file": 2}
    assert keys(tmp_path, recursive=False) == ["a.png", "b.JPG", "d.HEIC"]


def test_hidden_files_and_workspaces_are_skipped(tmp_path: Path) -> None:
    touch(tmp_path, ".DS_Store", "._a.jpg", ".trash/b.jpg", "x.ZIP.work/c.jpg", "d.jpg")
    found = find(tmp_path)
    assert [photo.key for photo in found.photos] == ["d.jpg"]
    assert found.others == {}
    assert found.folders == ("x.ZIP.work",)


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    touch(tmp_path, "photos/a.jpg", "elsewhere/b.jpg")
    (tmp_path / "photos" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "photos" / "loop").symlink_to(tmp_path / "photos")
    (tmp_path / "photos" / "second").symlink_to(tmp_path / "elsewhere")
    assert keys(tmp_path / "photos") == ["a.jpg", "link/b.jpg"]


def test_a_pipe_named_like_a_photo_is_not_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    assert keys(tmp_path) == []


def test_an_empty_folder_is_explained(tmp_path: Path) -> None:
    touch(tmp_path, "notes.txt")
    with pytest.raises(InputError, match=r"no photos in this folder \(passed over: 1 other file\)"):
        require_some(find(tmp_path), tmp_path, recursive=True)
    with pytest.raises(InputError, match="--recursive searches its subfolders"):
        require_some(find(tmp_path), tmp_path, recursive=False)


def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    close_to_others(tmp_path / "closed")
    with (
        nobody(),
        pytest.raises(InputError, match="closed: cannot be listed: permission denied"),
    ):
        find(tmp_path)


def test_photos_with_any_characters_in_their_names_are_opened(tmp_path: Path) -> None:
    for name in ("été 雪.jpg", "two\nlines.jpg", os.fsdecode(b"\xff.jpg")):
        Image.new("RGB", (4, 4), "red").save(tmp_path / name)
    found = find(tmp_path).photos
    assert len(found) == 3
    assert all(open_photo(photo.path).size == (4, 4) for photo in found)


def test_each_folder_is_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    scandir = os.scandir
    listed = []

    def scan(folder: str) -> object:
        listed.append(folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", scan)
    find(tmp_path)
    assert listed == [str(tmp_path), str(tmp_path / "sub")]
