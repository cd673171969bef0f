import sys
from pathlib import Path

import pytest

from monetize.images.heic import can_open_heic, heic_caution
from monetize.images.photos import Photo

HEIC_HEAD = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


@pytest.fixture
def three(tmp_path: Path) -> list[Photo]:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    (tmp_path / "b.jpg").write_bytes(HEIC_HEAD)
    (tmp_path / "c.heic").write_bytes(HEIC_HEAD)
    return [Photo(path.name, path) for path in sorted(tmp_path.iterdir())]


def test_without_the_package_heic_photos_are_named_by_content(
    three: list[Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    assert not can_open_heic()
    caution = heic_caution(three)
    assert caution is not None
    assert caution.startswith("2 of 3 photos cannot be read: b.jpg, c.heic. ")
    assert caution.endswith("pip install pillow-heif")
    assert heic_caution(three[:1]) is None


def test_with_the_package_there_is_nothing_to_say(three: list[Photo]) -> None:
    pytest.importorskip("pillow_heif")
    assert can_open_heic()
    assert heic_caution(three) is None
