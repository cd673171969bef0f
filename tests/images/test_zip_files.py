import zipfile
from pathlib import Path

import pytest

from monetize.errors import PhotoError
from monetize.images.zip_files import TooLarge, image_members, open_zip, read_member


def pack(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_images_are_listed_by_extension_without_the_files_of_other_programs(
    tmp_path: Path,
) -> None:
    names = ["a.jpg", "b.JFIF", "c.txt", "sub/d.heic", "__MACOSX/._a.jpg", ".e.jpg"]
    names += ["sub/@eaDir/d.jpg", "f.jpg/", "//g.png", "./h.webp", "README"]
    path = pack(tmp_path / "a.zip", **dict.fromkeys(names, b""))
    with open_zip(path) as archive:
        listed = [member.filename for member in image_members(archive)]
    assert listed == ["a.jpg", "b.JFIF", "sub/d.heic", "//g.png", "./h.webp"]


def test_a_member_is_read_completely(tmp_path: Path) -> None:
    with open_zip(pack(tmp_path / "a.zip", **{"a.jpg": b"abc"})) as archive:
        assert read_member(archive, archive.infolist()[0]) == b"abc"


def test_a_member_that_claims_too_much_is_not_unpacked(tmp_path: Path) -> None:
    with open_zip(pack(tmp_path / "a.zip", **{"a.jpg": b"abc"})) as archive:
        [member] = archive.infolist()
        member.file_size = 4_000_000_000
        with pytest.raises(TooLarge, match=r"claims to be 4\.00GB, too large for an im"):
            read_member(archive, member)


def test_an_encrypted_member_is_not_read(tmp_path: Path) -> None:
    with open_zip(pack(tmp_path / "a.zip", **{"a.jpg": b"abc"})) as archive:
        [member] = archive.infolist()
        member.flag_bits |= 1
        with pytest.raises(PhotoError, match="encrypted"):
            read_member(archive, member)
