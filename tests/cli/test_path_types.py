"""Paths that exist, paths to write, and what is refused."""

from pathlib import Path

import click
import pytest

from monetize.cli.path_types import FILE, FILE_OR_FOLDER, FOLDER, OUTPUT_FILE, OUTPUT_ZIP_OR_URL
from monetize.errors import UsageError


def test_paths_that_exist_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"")
    assert FILE.convert(str(file), None, None) == file
    assert FOLDER.convert(str(tmp_path), None, None) == tmp_path
    assert FILE_OR_FOLDER.convert(str(tmp_path), None, None) == tmp_path
    assert FILE_OR_FOLDER.convert(str(file), None, None) == file


def test_the_error_says_what_is_there(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"")
    with pytest.raises(click.BadParameter, match="is a file; give the folder"):
        FOLDER.convert(str(file), None, None)
    with pytest.raises(click.BadParameter, match="is a folder; give a file"):
        FILE.convert(str(tmp_path), None, None)
    with pytest.raises(click.BadParameter, match="does not exist"):
        FILE.convert(str(file / "b"), None, None)
    with pytest.raises(click.BadParameter, match="too long"):
        FILE.convert("a" * 5000, None, None)


def test_a_link_that_leads_to_itself_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "a")
    with pytest.raises(click.BadParameter, match="a symbolic link that leads to itself"):
        FOLDER.convert(str(tmp_path / "a"), None, None)


def test_outputs_need_names_that_files_can_have(tmp_path: Path) -> None:
    assert OUTPUT_FILE.convert("a" * 255, None, None) == Path("a" * 255)
    assert (
        OUTPUT_ZIP_OR_URL.convert(str(tmp_path / "images.zip"), None, None)
        == tmp_path / "images.zip"
    )
    assert OUTPUT_ZIP_OR_URL.convert(".", None, None) == Path()
    with pytest.raises(click.BadParameter, match="too long"):
        OUTPUT_FILE.convert("a" * 256, None, None)
    with pytest.raises(click.BadParameter, match="too long"):
        OUTPUT_ZIP_OR_URL.convert("a" * 251 + ".zip", None, None)


@pytest.mark.parametrize(
    ("kind", "advice"),
    [(FILE, "download it first"), (FOLDER, "give one"), (OUTPUT_FILE, "upload it afterwards")],
)
def test_a_url_of_what_must_be_on_a_disk_is_refused(kind: click.Path, advice: str) -> None:
    with pytest.raises(click.BadParameter, match=f"on a disk: {advice}"):
        kind.convert("s3://bucket/a", None, None)
    with pytest.raises(UsageError, match="leave it out") as caught:
        kind.convert("s3://key:hunter2@bucket/a", None, None)
    assert "hunter2" not in str(caught.value)
