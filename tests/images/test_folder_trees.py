"""The same files count as photos in a store as in a folder."""

from pathlib import Path

import pytest
from helpers import make_photos
from object_store import Bucket
from PIL import Image

from monetize.errors import InputError, UsageError
from monetize.images.encoding import encode
from monetize.images.own_paintings import pass_over_paintings
from monetize.images.photos import Found, find
from monetize.images.reading import read_file
from monetize.stores.remote_path import AnyPath, RemotePath

PAINTING = "a lake\nSteps: 4, Seed: 3, Version: monetize 0.1.0"


def found_in(folder: AnyPath, *, recursive: bool = True) -> tuple[Found, dict[str, bytes]]:
    found = pass_over_paintings(find(folder, recursive=recursive))
    return found, {photo.key: read_file(photo.path) for photo in found.photos}


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A folder with photos, and with much that is passed over."""
    folder = make_photos(tmp_path / "mixed")
    (folder / "sub" / "@eaDir").mkdir(parents=True)
    (folder / "photo1.jpg").rename(folder / "sub" / "photo0.jpg")
    (folder / "photo2.jpg").rename(folder / "without-suffix")
    (folder / "photo3.jpg").rename(folder / "sub" / "@eaDir" / "photo3.jpg")
    (folder / "photo4.jpg").rename(folder / "sub" / "Été #1?: 100%.JPG")
    for name in (".hidden.jpg", "notes.txt", "film.mp4", "x.zip.work/a.jpg", "out/monetize.json"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"%PDF")
    painting = folder / "painting.jpg"
    painting.write_bytes(encode(Image.new("RGB", (8, 8)), painting, PAINTING))
    return folder


@pytest.mark.parametrize("recursive", [True, False])
def test_the_same_files_are_photos(bucket: Bucket, mixed: Path, recursive: bool) -> None:
    url = RemotePath.parse(bucket.put_folder(mixed, "photos/"))
    local, contents = found_in(mixed, recursive=recursive)
    stored, same = found_in(url, recursive=recursive)
    assert len(contents) == (5 if recursive else 3)
    assert same == contents
    assert stored.passed_over == local.passed_over
    assert "1 monetize painting" in stored.passed_over


def test_the_paintings_of_monetize_are_photos_where_nothing_else_is(
    bucket: Bucket, tmp_path: Path
) -> None:
    painting = encode(Image.new("RGB", (8, 8)), tmp_path / "a.jpg", PAINTING)
    bucket.put("paintings/a.jpg", painting)
    bucket.put("paintings/monetize.json", b"{}")
    found, _ = found_in(RemotePath.parse(f"{bucket}/paintings"))
    assert [photo.key for photo in found.photos] == ["a.jpg"]


def test_names_that_no_folder_has_are_passed_over(bucket: Bucket) -> None:
    for key in ("a.jpg", "a.jpg/b.jpg", "/c.jpg", "d//e.jpg", "../f.jpg", "sub/"):
        bucket.put(f"photos/{key}", b"x")
    found = find(RemotePath.parse(f"{bucket}/photos/"))
    assert [photo.key for photo in found.photos] == ["a.jpg", "a.jpg/b.jpg"]
    assert found.others == {"other file": 2}


def test_folders_that_cannot_be_listed_are_refused(bucket: Bucket) -> None:
    with pytest.raises(UsageError, match=r"s3://nobody-has-this/a: there is no such .*bucket"):
        find(RemotePath.parse("s3://nobody-has-this/a"))
    bucket.server.refuse = lambda _: ("403 Forbidden", "AccessDenied", "Access Denied")
    with pytest.raises(InputError, match=f"{bucket}: cannot be listed: permission denied"):
        find(RemotePath.parse(str(bucket)))
