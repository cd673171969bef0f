import threading
import zipfile
from pathlib import Path

import pytest
from helpers import Listener
from PIL import Image

from monetize.errors import InputError
from monetize.images.image_sets import ImageSet


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "set"
    path.mkdir()
    for i in range(20):
        Image.new("RGB", (4, 4), (10 * i, 0, 0)).save(path / f"{19 - i:02}.png")
    return path


def zipped(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    return path


def test_a_folder_and_its_zip_are_the_same_set_in_order_of_name(folder: Path) -> None:
    for images in (ImageSet.of(folder), ImageSet.of(zipped(folder))):
        assert images.names == tuple(f"{i:02}.png" for i in range(20))
        assert [image.getpixel((0, 0)) for image in images.images()] == [
            (10 * i, 0, 0) for i in reversed(range(20))
        ]
    assert ImageSet.of(folder).digest() == ImageSet.of(zipped(folder)).digest()


def test_what_is_passed_over_in_a_folder_is_reported(folder: Path) -> None:
    (folder / "clip.mp4").touch()
    listener = Listener()
    ImageSet.of(folder).tell(listener)
    ImageSet.of(zipped(folder)).tell(listener)
    assert listener.said == [f"{folder}: passed over: 1 video"]


def test_the_digest_depends_on_names_and_contents(folder: Path) -> None:
    before = ImageSet.of(folder).digest()
    (folder / "00.png").rename(folder / "0.png")
    renamed = ImageSet.of(folder).digest()
    (folder / "0.png").write_bytes(b"other")
    assert len({before, renamed, ImageSet.of(folder).digest()}) == 3


def test_map_works_in_other_threads_and_keeps_the_order(folder: Path) -> None:
    here = threading.get_ident()

    def red(image: Image.Image) -> object:
        assert threading.get_ident() != here
        return image.getpixel((0, 0))[0]  # type: ignore[index]

    assert list(ImageSet.of(folder).map(red)) == [10 * i for i in reversed(range(20))]


def test_an_unreadable_image_is_named_and_not_skipped(folder: Path) -> None:
    (folder / "07.png").write_bytes(b"")
    for source in (folder, zipped(folder)):
        with pytest.raises(InputError, match=rf"07\.png in {source}: empty file"):
            list(ImageSet.of(source).images())


def test_members_with_the_same_name_are_both_read(folder: Path) -> None:
    path = zipped(folder)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.write(folder / "00.png", "05.png")
    images = ImageSet.of(path)
    colors = [image.getpixel((0, 0)) for image in images.images()]
    assert images.names[5:7] == ("05.png", "05.png")
    assert colors[5:7] == [(140, 0, 0), (190, 0, 0)]
