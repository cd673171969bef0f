import io
import zipfile
from pathlib import Path

import pytest

from monetize.contest.archive import name_files, pack


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        (["a.png", "b.jpeg"], ["a.jpg", "b.jpg"]),
        (["a.jpg", "a.png", "sub/a.jpg"], ["a.jpg", "a-2.jpg", "a-3.jpg"]),
        (["A.jpg", "a.png"], ["A.jpg", "a-2.jpg"]),
        # A photo that is itself called a-2 keeps its name.
        (["a-2.jpg", "a.jpg", "a.png"], ["a-2.jpg", "a.jpg", "a-3.jpg"]),
        (["two\nlines.jpg", "wha:t?.jpg"], ["two_lines.jpg", "wha_t_.jpg"]),
        (["été 雪.jpg", "not-utf8-\udcff.jpg"], ["été 雪.jpg", "not-utf8-_.jpg"]),
        (["two.dots.jpg"], ["two.dots.jpg"]),
    ],
)
def test_paintings_are_named_after_their_photos(keys: list[str], names: list[str]) -> None:
    assert name_files(keys) == dict(zip(keys, names, strict=True))


def test_very_long_names_stay_distinct_and_fit_a_file_system() -> None:
    keys = ["é" * 120 + suffix + ".jpg" for suffix in ("a", "b")]
    names = name_files(keys).values()
    assert len(set(names)) == 2
    assert all(len(name.encode()) < 255 for name in names)


def write(tmp_path: Path, *names: str) -> list[tuple[str, Path]]:
    for name in names:
        (tmp_path / name).write_bytes(name.encode() * 10)
    return [(name, tmp_path / name) for name in names]


def test_the_same_members_make_the_same_bytes(tmp_path: Path) -> None:
    members = write(tmp_path, "b.jpg", "a.jpg", "é.jpg")
    one, other = io.BytesIO(), io.BytesIO()
    pack(one, members)
    for _, path in members:
        path.touch()
    pack(other, reversed(members))
    assert one.getvalue() == other.getvalue()


def test_members_are_sorted_stored_and_at_the_root(tmp_path: Path) -> None:
    file = io.BytesIO()
    pack(file, write(tmp_path, "b.jpg", "a.jpg"))
    with zipfile.ZipFile(file) as archive:
        infos = archive.infolist()
        assert archive.testzip() is None
        assert archive.read("a.jpg") == b"a.jpg" * 10
    assert [info.filename for info in infos] == ["a.jpg", "b.jpg"]
    assert {info.compress_type for info in infos} == {zipfile.ZIP_STORED}
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
