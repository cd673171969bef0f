from pathlib import Path
from typing import Any

import pytest

from monetize.errors import UsageError
from monetize.presets import TABLES, load_config
from monetize.prompts.weights import Weight
from monetize.settings import CaptionSettings, DeviceSettings, PaintSettings, RunSettings, own_names

CONFIGS = Path(__file__).parent.parent / "configs"


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (PaintSettings, {"num_inference_steps": 0}, "--num-inference-steps must be between 1 and"),
        (PaintSettings, {"guidance_scale": float("nan")}, "--guidance-scale must be at least 0"),
        (PaintSettings, {"guidance_scale": -1}, "--guidance-scale must be at least 0, not -1"),
        (PaintSettings, {"size": 7}, "--size must be at least 8"),
        (PaintSettings, {"batch_size": 0}, "--batch-size must be at least 1"),
        (PaintSettings, {"scheduler": "euler"}, "--scheduler must be one of pndm, lms"),
        (PaintSettings, {"weight_start": 0.5, "weight_end": 0.5}, "--weight-start 0.5 is not b"),
        (PaintSettings, {"weight": (Weight("a", 1), Weight("A", 2))}, "--weight 'a' is given more"),
        (CaptionSettings, {"caption_batch_size": 0}, "--caption-batch-size must be at least 1"),
        (CaptionSettings, {"max_length": 1}, "--max-length must be at least 2"),
        (RunSettings, {"seed": -1}, "--seed must be between 0 and"),
        (RunSettings, {"limit": 0}, "--limit must be at least 1"),
        (RunSettings, {"jpeg_quality": 101}, "--jpeg-quality must be between 1 and 100"),
        (DeviceSettings, {"dtype": "int8"}, "--dtype must be one of auto"),
    ],
)  # fmt: skip
def test_limits_are_told_by_the_flags_name(
    kind: type, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        kind(**values)


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "preset.toml"
    path.write_text(text)
    return path


def test_a_preset_is_read_table_by_table(tmp_path: Path) -> None:
    path = write(tmp_path, "[run]\nseed = 7\n[paint]\nsize = 64\nweight = ['pine=-1']\n")
    assert load_config(path) == {"seed": 7, "size": 64, "weight": ["pine=-1"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed = 7", r"'seed' is not a table; the nearest is '\w+'"),
        ("[pant]\nsize = 1", "'pant' is not a table; the nearest is 'paint'"),
        ("[paint]\nsteps_num = 1", "'steps_num' is not a key of .paint."),
        ("[paint]\nguidance_scal = 1", "the nearest is 'guidance_scale'"),
        ("[paint]\nsteps = 1", "the nearest is 'num_inference_steps'"),
        ("[run]\npaint = 1", "'paint' is not a key of .run."),
        ("run = 1", r"run is a table: write \[run\]"),
        ("[run\n", "not valid TOML"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        load_config(write(tmp_path, text))


def test_the_contest_preset_spells_out_every_default_and_takes_monets_colours() -> None:
    values = load_config(CONFIGS / "contest.toml")
    defaults = {name: getattr(kind(), name) for kind in TABLES.values() for name in own_names(kind)}
    # These have no value of their own, so the preset names the real checkpoints and says theirs.
    spelled = {
        "captioner": "vit-gpt2", "model": "sd-v1-4", "size": 512, "scheduler": "pndm",
        "num_inference_steps": 50, "guidance_scale": 7.5, "weight": [],
        "batch_size": "auto", "palette": "monet",
    }  # fmt: skip
    left_out = {"limit", "compile", "time_budget"}
    expected = {n: spelled.get(n, value) for n, value in defaults.items() if n not in left_out}
    assert values == expected


def test_the_report_preset_is_the_founding_reports_own() -> None:
    values = load_config(CONFIGS / "report.toml")
    assert values["scheduler"] == "lms"
    assert values["num_inference_steps"] == 50
    assert values["guidance_scale"] == 7.5
    assert values["seed"] == 2483964025
    assert values["shared_seed"] is True
