"""A folder for the output is new, empty, or that of an earlier job."""

import shutil
from pathlib import Path

import pytest
from helpers import names

from monetize.errors import StorageError, UsageError
from monetize.job.output_checks import check_outputs
from monetize.job.outputs import Outputs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with photos, somebody's files, an empty folder, and the one of a finished job."""
    for name in ("photos/a.jpg", "full/thesis.txt", "file", "hidden/.DS_Store", "hidden/Thumbs.db",
                 "done/monetize.csv", "done/monetize.json", "half/monetize.json"):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "photos")
    return tmp_path


def check(folder: Path, name: str, *, overwrite: bool = False, update: bool = False) -> None:
    outputs = Outputs.of_folder(folder / name)
    check_outputs(outputs, folder / "photos", None, overwrite=overwrite, update=update)


@pytest.mark.parametrize("name", ["new", "empty", "hidden"])
def test_a_folder_that_is_new_or_empty_is_used(folder: Path, name: str) -> None:
    before = names(folder)
    for flags in ({}, {"overwrite": True}, {"update": True}):
        check(folder, name, **flags)
    assert names(folder) == before


def test_that_of_a_finished_job_needs_a_flag(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"done exists\. Use --update to keep"):
        check(folder, "done")
    check(folder, "done", update=True)
    check(folder, "done", overwrite=True)
    with pytest.raises(UsageError, match="needs a folder and both of its reports"):
        check(folder, "half", update=True)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("full", r"is not empty \(thesis\.txt\), and monetize run did not write it"),
        ("file", "file is a file: use another name"),
        ("a.zip", "is the name of a zip: leave out --output-folder"),
        ("none/a", "there is no folder .*none: create it first"),
        ("photos", "has the photos: use another folder"),
        ("link", "has the photos: use another folder"),
        ("/", "give a folder with a name"),
    ],
)
def test_other_folders_are_refused(folder: Path, name: str, message: str, overwrite: bool) -> None:
    with pytest.raises(UsageError, match=message):
        check(folder, name, overwrite=overwrite)


def test_a_report_that_is_no_file_is_refused(folder: Path) -> None:
    (folder / "done" / "monetize.csv").unlink()
    (folder / "done" / "monetize.csv").mkdir()
    with pytest.raises(StorageError, match=r"monetize\.csv is a folder"):
        check(folder, "done", overwrite=True)


def test_a_captions_file_that_the_report_would_replace_is_refused(folder: Path) -> None:
    shutil.rmtree(folder / "empty")
    outputs = Outputs.of_folder(folder / "done")
    with pytest.raises(UsageError, match=r"would be overwritten by the report of .*done"):
        check_outputs(outputs, folder / "photos", outputs.table, overwrite=True, update=False)
