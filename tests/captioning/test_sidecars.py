"""Captions in text files next to the photos."""

from pathlib import Path

import pytest

from monetize.captioning.sidecars import read_sidecars
from monetize.errors import InputError

COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"


def test_a_sidecar_has_the_name_of_its_photo(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.b.txt").write_bytes("\ufeff a lake,\r\nat dawn\n".encode())
    (tmp_path / "sub" / "c.txt").write_bytes("a tree".encode("utf-16"))
    (tmp_path / "README.txt").write_bytes(b"\xff of no photo, and not read")
    photos = ["a.b.jpg", "sub/c.png", "sub/a.jpg", "x" * 252]
    assert read_sidecars(tmp_path, photos) == {"a.b.jpg": "a lake, at dawn", "sub/c.png": "a tree"}


@pytest.mark.parametrize(("on_disk", "photo"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)])
def test_a_sidecar_is_found_in_any_unicode_form(tmp_path: Path, on_disk: str, photo: str) -> None:
    (tmp_path / f"{on_disk}.txt").write_text("a café", encoding="utf-8")
    assert read_sidecars(tmp_path, [f"{photo}.jpg"]) == {f"{photo}.jpg": "a café"}


@pytest.mark.parametrize(
    ("data", "message"),
    [("été".encode("latin-1"), r"a\.txt: not valid UTF-8 .*: save"), (b"a\0b", "not a text file")],
)
def test_a_sidecar_that_is_not_text_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "a.txt").write_bytes(data)
    with pytest.raises(InputError, match=message):
        read_sidecars(tmp_path, ["a.jpg"])
