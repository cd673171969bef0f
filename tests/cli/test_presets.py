"""Presets by name and by file."""

import json
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


def test_a_file_takes_precedence_over_a_name(
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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("num_inference_steps = '3'", "num_inference_steps must be a whole number, not '3'"),
        ("num_inference_steps = 7.5", "num_inference_steps must be a whole number, not 7.5"),
        ("guidance_scale = true", "guidance_scale must be a number, not True"),
        ("safety_checker = 'no'", "safety_checker must be true or false, not 'no'"),
        ("model = 4", "model must be text in quotes, not 4"),
        ("weight = 'pine=-1'", "weight must be a list such as"),
        ("scheduler = 'plms'", "'plms' is not one of 'pndm'"),
    ],
)
def test_a_presets_values_must_have_the_right_type(
    run_job: Run, photos: Path, tmp_path: Path, text: str, message: str
) -> None:
    preset = tmp_path / "preset.toml"
    preset.write_text(f"[paint]\n{text}\n")
    result = run_job(photos, tmp_path / "a.zip", "--config", preset)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_preset_applies_where_no_flag_is_given(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    preset = tmp_path / "preset.toml"
    preset.write_text(
        "[run]\nlimit = 2\nseed = 3\n[paint]\nweight = ['@1=2']\nguidance_scale = 5\n"
    )
    result = run_job(photos, tmp_path / "a.zip", "--config", preset, "--seed", 4)
    assert result.exit_code == 0, result.stderr
    settings = json.loads((tmp_path / "a.json").read_text())["settings"]
    assert (settings["run"]["limit"], settings["run"]["seed"]) == (2, 4)
    assert (settings["paint"]["guidance_scale"], settings["paint"]["weight"]) == (5.0, ["@1=2"])


def test_a_file_overrides_a_named_preset_and_a_flag_overrides_both(
    cli: Run, tiny: Tiny, photos: Path, tmp_path: Path
) -> None:
    preset = tmp_path / "preset.toml"
    preset.write_text("[paint]\nscheduler = 'ddim'\nnum_inference_steps = 3\n")
    named, own = ["--preset", "draft"], ["--config", preset]
    for both in ([*named, *own], [*own, *named]):
        flags = [*tiny.flags, *both, "--steps", 2, "--overwrite"]
        assert cli("run", photos, tmp_path / "a.zip", *flags).exit_code == 0
        used = json.loads((tmp_path / "a.json").read_text())["settings"]["paint"]
        assert used["num_inference_steps"] == 2
        assert used["scheduler"] == "ddim"
        assert (used["guidance_start"], used["guidance_end"]) == (0.2, 0.8)
