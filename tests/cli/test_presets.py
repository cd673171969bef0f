"""Presets by name and by file."""

from pathlib import Path

import pytest
from helpers import Run, Tiny

from monetize.cli import presets


def test_bundled_presets_have_names(cli: Run, tmp_path: Path) -> None:
    assert set(presets.bundled_presets()) == {"contest", "report"}
    for name in presets.bundled_presets():
        result = cli("run", tmp_path, tmp_path / "a.zip", "--config", name)
        assert result.exit_code == 1, "the folder has no photo, which is found after the preset"
        assert "no photo" in result.stderr


def test_a_preset_by_name_sets_what_its_file_does(
    run_job: Run, tiny: Tiny, photos: Path, tmp_path: Path
) -> None:
    result = run_job(photos, tmp_path / "a.zip", "--config", "report", "--size", 64, "--limit", 1)
    assert result.exit_code == 0, result.stderr
    assert '"seed": 2483964025' in (tmp_path / "a.json").read_text()


def test_an_installed_package_has_presets_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.toml").write_text("")
    monkeypatch.setattr(presets, "FOLDERS", (tmp_path, *presets.FOLDERS))
    assert presets.bundled_presets() == {"mine": tmp_path / "mine.toml"}


def test_a_file_has_precedence_over_a_name(
    cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("contest").write_text("[run]\nnothing = 1\n")
    result = cli("run", ".", "a.zip", "--config", "contest")
    assert result.exit_code == 2
    assert "contest: 'nothing' is not a key of [run]" in result.stderr


@pytest.mark.parametrize("name", ["nope", "contest.toml", "a" * 300, "../contest"])
def test_an_unknown_preset_is_refused_with_the_known_ones(cli: Run, name: str) -> None:
    result = cli("run", ".", "a.zip", "--config", name)
    assert result.exit_code == 2
    assert "is neither a file nor a bundled preset (contest, report)" in result.stderr


@pytest.mark.parametrize(
    ("model", "flags", "slower"),
    [
        ("pocket", (), "it takes 32 passes of the UNet per image instead of 30"),
        ("pocket", ("--steps", 3), ""),  # what is left of the preset still saves guidance
        ("tiny", (), ""),
    ],
)
def test_a_preset_that_is_not_faster_says_so(
    cli: Run, tiny: Tiny, tmp_path: Path, model: str, flags: tuple[object, ...], slower: str
) -> None:
    checkpoint = tiny.painter if model == "tiny" else model
    command = ("paint", "a tree", "--model", checkpoint, "-o", tmp_path / "a.png")
    result = cli(*command, "--preset", "draft", *flags, "--size", 64)
    assert result.exit_code == 0, result.stderr
    warnings = [line for line in result.stderr.splitlines() if line.startswith("Warning: --pre")]
    assert warnings == (
        [f"Warning: --preset draft is not faster than pocket's own settings: {slower}"]
        if slower
        else []
    )
