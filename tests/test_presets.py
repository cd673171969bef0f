from pathlib import Path

import pytest

from monetize.errors import UsageError
from monetize.presets import TABLES, load_config
from monetize.settings import own_names

CONFIGS = Path(__file__).parent.parent / "configs"


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


def test_the_contest_preset_has_every_default_and_the_monet_palette() -> None:
    values = load_config(CONFIGS / "contest.toml")
    defaults = {name: getattr(kind(), name) for kind in TABLES.values() for name in own_names(kind)}
    # These defaults depend on the checkpoint; the preset has those of the full-size ones.
    spelled = {
        "captioner": "vit-gpt2", "model": "sd-v1-4", "size": 512, "scheduler": "pndm",
        "num_inference_steps": 50, "guidance_scale": 7.5, "weight": [], "lora": [], "embedding": [],
        "batch_size": "auto", "palette": "monet",
    }  # fmt: skip
    left_out = {"limit", "style_file", "compile", "time_budget", "strength", "fit"}
    expected = {n: spelled.get(n, value) for n, value in defaults.items() if n not in left_out}
    assert values == expected


def test_the_report_preset_has_the_settings_of_the_original_report() -> None:
    values = load_config(CONFIGS / "report.toml")
    assert values["scheduler"] == "lms"
    assert values["num_inference_steps"] == 50
    assert values["guidance_scale"] == 7.5
    assert values["seed"] == 2483964025
    assert values["shared_seed"] is True


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_preset_is_read_in_any_encoding_that_editors_write(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "preset.toml"
    path.write_bytes("[run]\r\nstyle = 'à la Monet'\r\n".encode(encoding))
    assert load_config(path) == {"style": "à la Monet"}


def test_a_preset_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"missing\.toml: cannot be read: No such file"):
        load_config(tmp_path / "missing.toml")
