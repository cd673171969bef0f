import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from monetize.contest.zip_members import MemberInfo, MemberInspector


def image_bytes(color: str = "gray", size: tuple[int, int] = (64, 64)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, "JPEG")
    return file.getvalue()


def inspect(path: Path, *members: tuple[str, bytes]) -> list[MemberInfo]:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members:
            archive.writestr(name, data)
    with zipfile.ZipFile(path) as archive:
        inspector = MemberInspector(archive)
        return [inspector.inspect(member) for member in archive.infolist()]


def test_an_image_is_known_by_its_content(tmp_path: Path) -> None:
    [info] = inspect(tmp_path / "a.zip", ("a.png", image_bytes(size=(64, 32))))
    assert (info.name, info.unreadable, info.undecodable) == ("a.png", "", "")
    assert (info.format, info.size, info.mode, info.shade) == ("JPEG", (64, 32), "RGB", "uniform")
    assert info.digest


def test_other_content_is_not_an_image(tmp_path: Path) -> None:
    text, empty = inspect(tmp_path / "a.zip", ("a.jpg", b"hello"), ("b.jpg", b""))
    assert (text.format, text.undecodable, text.size) == ("not an image", "not an image", None)
    assert (empty.format, empty.undecodable) == ("empty", "empty")


def test_equal_files_are_decoded_once_and_keep_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []

    def note(*args: object, **options: object) -> Image.Image:
        opened.append(args)
        return open_image(*args, **options)  # type: ignore[arg-type]

    open_image = Image.open
    monkeypatch.setattr("PIL.Image.open", note)
    same, other = image_bytes(), image_bytes("black")
    infos = inspect(tmp_path / "a.zip", ("a.jpg", same), ("b.jpg", other), ("c.jpg", same))
    assert [info.name for info in infos] == ["a.jpg", "b.jpg", "c.jpg"]
    assert infos[0].digest == infos[2].digest != infos[1].digest
    assert len(opened) == 2
