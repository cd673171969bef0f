"""Presets that hold anything: a usage error in one line, within a second."""

import random
import time
from pathlib import Path

import pytest
from helpers import Run

from monetize.errors import UsageError
from monetize.presets import MAX_SIZE, load_config

DEEP = 18_000
WHOLE = {
    "empty table": b"[",
    "deep arrays": b"[paint]\nsize = " + b"[" * DEEP,
    "deep tables": b"[paint]\nsize = " + b"{a=" * DEEP,
    "deep keys": b"[paint]\nsize" + b".a" * (DEEP // 2) + b" = 1",
    "5,000 digits": b"[paint]\nsize = " + b"9" * 5000,
    "not UTF-8": b"[run]\nstyle = '\xff'",
    "binary": bytes(range(256)),
    "another encoding": "[run]\nseed = 1".encode("utf-16-le"),
    "large": b"#" * (MAX_SIZE + 1),
    "a table twice": b"[run]\n[run]\n",
    "a long key": b"[paint]\n" + b"a" * 19_000 + b" = 1",
    "a dotted table": b"[paint.size]\na = 1",
}
VALUES = (
    "-1", "0", "1.5", "1e308", "inf", "nan", "true", "''", "'x'", "[]", "['']", "[[]]", "{}",
    "{a = 1}", "1979-05-27", "9" * 300, "9" * 4000, "-" + "9" * 400, "'" + "9" * 5000 + "'",
    "['@" + "9" * 5000 + "=1']", "['pine=1e999']", "['=']",
)  # fmt: skip
KEYS = {
    "run": [
        "style",
        "style_file",
        "seed",
        "shared_seed",
        "limit",
        "output_size",
        "jpeg_quality",
        "time_budget",
    ],
    "caption": ["captioner", "caption_batch_size", "num_beams", "max_length"],
    "paint": ["model", "size", "num_inference_steps", "guidance_scale", "scheduler", "weight"],
    "device": ["device", "dtype", "offline"],
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_hostile_preset_is_a_usage_error(cli: Run, tmp_path: Path, name: str) -> None:
    path = tmp_path / "preset.toml"
    path.write_bytes(WHOLE[name])
    began = time.process_time()
    result = cli("run", tmp_path, tmp_path / "a.zip", "--config", path)
    assert time.process_time() - began < 5
    assert result.exit_code == 2
    assert str(path) in result.stderr
    assert len(result.stderr) < 1000
    if name not in ("a dotted table", "deep keys"):  # whose values the options refuse
        with pytest.raises(UsageError):
            load_config(path)


def test_hostile_values_are_usage_errors(cli: Run, tmp_path: Path) -> None:
    chance = random.Random(0)
    path = tmp_path / "preset.toml"
    for _ in range(150):
        table = chance.choice(list(KEYS))
        path.write_text(f"[{table}]\n{chance.choice(KEYS[table])} = {chance.choice(VALUES)}\n")
        result = cli("run", tmp_path, tmp_path / "a.zip", "--config", path)
        # A value that is valid gets as far as the empty folder.
        assert result.exit_code in (1, 2), path.read_text()[:200]
        assert result.exit_code == 2 or "no photo" in result.stderr, result.stderr
