"""Arguments that no file or text can have: one line, before any work."""

import os
from pathlib import Path

import pytest
from helpers import Run, Tiny, names
from PIL import Image

BAD = os.fsdecode(b"a\xff")  # not UTF-8
LONG = "a" * 300


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with one photo."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    Image.new("RGB", (9, 9)).save("photo.jpg")
    return here


def check(cli: Run, *arguments: object) -> str:
    """The one line of an error that leaves nothing behind."""
    result = cli(*arguments)
    assert result.exit_code == 2
    error = result.stderr.splitlines()[-1]
    assert error.startswith("Error: ")
    assert "Loading" not in result.stderr
    assert names(Path()) == {"photo.jpg"}
    return error


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--style", BAD),
        ("--negative-prompt", BAD),
        ("--weight", f"{BAD}=2"),
        ("--model", BAD),
        ("--captioner", BAD),
        ("--palette", BAD),
        ("--device", BAD),
        ("--time-budget", BAD),
        ("--since", BAD),
    ],
)
def test_text_is_utf8(cli: Run, flag: str, value: str) -> None:
    error = check(cli, "run", ".", "a.zip", flag, value)
    assert flag in error
    assert "is not valid UTF-8" in error


@pytest.mark.parametrize("arguments", [("paint", BAD), ("tokens", BAD)])
def test_a_prompt_is_utf8(cli: Run, arguments: tuple[str, ...]) -> None:
    assert "is not valid UTF-8" in check(cli, *arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", ".", f"{LONG}.zip"),
        ("run", ".", f"{'a' * 245}.zip"),  # its gallery's folder would be too long
        ("run", LONG, "a.zip"),
        ("run", ".", "a.zip", "--captions", LONG),
        ("run", ".", "a.zip", "--captioner", LONG),
        ("run", ".", "a.zip", "--model", LONG),
        ("caption", "photo.jpg", "-o", f"{LONG}.csv"),
        ("caption", "photo.jpg", "--heatmap", f"{LONG}.png"),
        ("paint", "a", "-o", f"{LONG}.png"),
        ("paint", "a", "--heatmap", f"{LONG}.png"),
        ("gallery", f"{LONG}.zip"),
        ("gallery", "photo.jpg", "-o", f"{LONG}.html"),
        ("check", f"{LONG}.zip"),
        ("score", LONG, "--reference", "."),
        ("tokens", "a", "--model", LONG),
    ],
    ids=lambda arguments: " ".join(arguments)[:40],
)
def test_a_name_that_is_too_long(cli: Run, arguments: tuple[str, ...]) -> None:
    assert "the name is too long for this disk" in check(cli, *arguments)


def test_numbered_names_that_are_too_long_are_refused_before_painting(cli: Run) -> None:
    result = cli("paint", "a", "-n", 10, "-o", f"{'a' * 250}.png")
    assert result.exit_code in (1, 2)
    assert "the name is too long for this disk" in result.stderr
    assert "Loading" not in result.stderr


def test_a_long_prompt_in_wide_letters_names_a_file_all_the_same(cli: Run, tiny: Tiny) -> None:
    result = cli("paint", "𝐚" * 100, "--model", tiny.painter, "--steps", 1, "--seed", 2**64 - 1)
    assert result.exit_code == 0, result.stderr
    assert len(names(Path())) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "photo.jpg", "a.zip"), "'photo.jpg' is a file; give the folder that it is in"),
        (("run", "none.jpg", "a.zip"), "'none.jpg' does not exist; give a folder"),
        (("gallery", "."), ". is a folder without a monetize.json: give a zip, or a folder that"),
        (("gallery", "photo.jpg", "--photos", "photo.jpg"), "'photo.jpg' is a file; give the fol"),
        (("info", "."), "'.' is a folder; give a file"),
        (("run", ".", "a.zip", "--config", "."), "'.' is a folder; give a file"),
    ],
)
def test_the_other_kind_of_file_is_named(
    cli: Run, arguments: tuple[str, ...], message: str
) -> None:
    assert message in check(cli, *arguments)


def test_a_job_and_its_gallery_may_have_names_that_are_not_utf8(
    cli: Run, tiny: Tiny, folder: Path
) -> None:
    result = cli("run", ".", f"{BAD}.zip", "--gallery", "--steps", 1, *tiny.flags)
    assert result.exit_code == 0, result.stderr
    assert "a%FF.gallery" in (folder / f"{BAD}.html").read_text("utf-8")
