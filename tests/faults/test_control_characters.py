"""Control characters in names: shown as escapes by every command, never sent to the terminal."""

import re
from pathlib import Path

import pytest
from finished_job import leave_job
from helpers import Run, Tiny

NAME = "a\x1b]0;title\x07\x9b31m\r\n\x7fb"
ESCAPED = r"a\x1b]0;title\x07\x9b31m\r\n\x7fb"


def check(output: str) -> None:
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", output)
    assert ESCAPED in output


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", NAME, "a.zip"),
        ("run", ".", f"{NAME}/a.zip"),
        ("run", ".", NAME),
        ("run", ".", "a.zip", "--config", NAME),
        ("run", ".", "a.zip", "--captions", NAME),
        ("run", ".", "a.zip", "--palette", NAME),
        ("run", ".", "a.zip", f"--{NAME}"),
        ("run", ".", "a.zip", NAME),
        ("run", ".", "a.zip", "--weight", NAME),
        ("caption", NAME),
        ("caption", ".", "--csv", "-o", f"{NAME}.json"),
        ("check", NAME),
        ("gallery", NAME),
        ("score", ".", "--reference", NAME),
        ("paint", "a", "-o", f"{NAME}.gif"),
        ("paint", "a", "-o", f"{NAME}/a.png"),
        ("paint", "a", "--scheduler", NAME),
        ("paint", "a", "--sweep", NAME),
        ("tokens", "a", "--model", f"./{NAME}"),
        ("tokens", "a", "--model", f"./{NAME}", "--verbose"),
        (NAME,),
    ],
    ids=lambda arguments: " ".join(arguments).replace(NAME, "NAME"),
)
def test_a_name_in_an_error(
    cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    result = cli(*arguments)
    assert result.exit_code
    check(result.stderr)
    assert result.stdout == ""


def test_the_name_of_a_preset_with_an_unknown_key(cli: Run, tmp_path: Path) -> None:
    preset = tmp_path / f"{NAME}.toml"
    preset.write_text('[run]\n"x\\u001b[31m" = 1\n')
    check(cli("run", tmp_path, tmp_path / "a.zip", "--config", preset).stderr)


def test_names_of_photos_and_outputs_of_a_job(
    cli: Run, tiny: Tiny, photos: Path, tmp_path: Path
) -> None:
    folder = tmp_path / NAME
    photos.rename(folder)
    (folder / "photo0.jpg").rename(folder / f"{NAME}.jpg")
    (folder / f"{NAME}2.jpg").write_bytes(b"")
    flags = (*tiny.flags, "--steps", 1, "--limit", 2)
    result = cli("run", folder, tmp_path / f"{NAME}.zip", *flags, "--gallery")
    assert result.exit_code == 3
    check(result.stderr)
    captions = cli("caption", folder, "--captioner", tiny.captioner)
    check(captions.stdout)
    check(captions.stderr)
    painted = cli("paint", "a", "--model", tiny.painter, "--steps", 1, "-o", f"{folder}/{NAME}.png")
    check(painted.stdout)


def test_names_in_reports_and_zips(cli: Run, tmp_path: Path) -> None:
    out = leave_job(tmp_path)
    table = out.with_suffix(".csv")
    table.write_text(table.read_text().replace("plain.jpg", f'"{NAME}.jpg"'))
    check(cli("gallery", out).stderr)
    out.rename(tmp_path / f"{NAME}.zip")
    check(cli("check", tmp_path / f"{NAME}.zip").stdout)
