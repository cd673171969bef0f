from pathlib import Path

import pytest

from monetize.cli.picture_files import PictureFiles
from monetize.cli.terminal import Terminal
from monetize.errors import UsageError


def test_pictures_are_written_and_their_files_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = PictureFiles(Terminal(), overwrite=True)
    (tmp_path / "a.png").write_text("old")
    assert files.write(tmp_path / "a.png", b"new") == tmp_path / "a.png"
    files.check()
    assert (tmp_path / "a.png").read_bytes() == b"new"
    assert capsys.readouterr().out == f"{tmp_path / 'a.png'}\n"


def test_a_picture_whose_name_is_taken_goes_to_the_next_free_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = PictureFiles(Terminal(), overwrite=False)
    for name in ("a.png", "a-2.png"):
        (tmp_path / name).write_text("theirs")
    assert files.write(tmp_path / "a.png", b"ours") == tmp_path / "a-3.png"
    files.write(tmp_path / "b.png", b"ours")
    with pytest.raises(UsageError, match=r"a\.png was created while this ran.* is in .*a-3\.png$"):
        files.check()
    assert capsys.readouterr().out == f"{tmp_path / 'a-3.png'}\n{tmp_path / 'b.png'}\n"
    assert (tmp_path / "a.png").read_text() == "theirs"
