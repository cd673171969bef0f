"""Checkpoints whose files hold anything that JSON can: one line, and none of their code runs."""

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest
from helpers import CPU, Run, Tiny
from hostile_json import hostile
from PIL import Image
from safetensors.torch import load_file, save_file

from monetize.checkpoints.layout import CAPTIONER, PAINTER
from monetize.checkpoints.loading import (
    load_captioning_model,
    load_painting_pipeline,
)
from monetize.checkpoints.own_settings import complete_settings
from monetize.checkpoints.resolve import resolve
from monetize.checkpoints.tokenizer import load_tokenizer
from monetize.errors import CheckpointError
from monetize.settings import PaintSettings

CAPTIONER_FILES = (
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer_config.json",
)
PAINTER_FILES = (
    "model_index.json",
    "unet/config.json",
    # These are read by the same code and take long to load.
    pytest.param("scheduler/scheduler_config.json", marks=pytest.mark.slow),
    pytest.param("text_encoder/config.json", marks=pytest.mark.slow),
    pytest.param("tokenizer/tokenizer_config.json", marks=pytest.mark.slow),
    pytest.param("vae/config.json", marks=pytest.mark.slow),
)
LONGEST = 120  # seconds; a hostile number may make a library loop


@pytest.fixture(autouse=True)
def _hang_fails() -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        pytest.fail(f"not done after {LONGEST} s")

    usual = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LONGEST)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, usual)


def load_captioner(folder: Path) -> None:
    load_captioning_model(resolve(str(folder), CAPTIONER), CPU)


def load_painter(folder: Path) -> None:
    load_tokenizer.cache_clear()
    checkpoint = resolve(str(folder), PAINTER)
    complete_settings(checkpoint, PaintSettings())
    load_painting_pipeline(checkpoint, CPU)


def outcomes(path: Path, load: object, folder: Path, count: int) -> Iterator[tuple[str, str]]:
    good = path.read_bytes()
    for label, data in hostile(good, count):
        path.write_bytes(data)
        try:
            load(folder)  # type: ignore[operator]
        except CheckpointError as error:
            yield label, str(error)
        else:
            yield label, ""
    path.write_bytes(good)


@pytest.mark.parametrize("name", CAPTIONER_FILES)
def test_a_captioners_hostile_file_is_a_checkpoint_error(tiny_copy: Tiny, name: str) -> None:
    folder = tiny_copy.captioner
    results = dict(outcomes(folder / name, load_captioner, folder, 5))
    assert str(folder) in results["deep nesting"]
    assert "nested too deeply" in results["deep nesting"]
    assert "must be an object, not None" in results["null"]
    load_captioner(folder)


@pytest.mark.parametrize("name", PAINTER_FILES)
def test_a_painters_hostile_file_is_a_checkpoint_error(tiny_copy: Tiny, name: str) -> None:
    folder = tiny_copy.painter
    results = dict(outcomes(folder / name, load_painter, folder, 4))
    assert "nested too deeply" in results["deep nesting"]
    assert "must be an object, not []" in results["a list"]
    assert name in results["5,000 digits"]
    load_painter(folder)


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("unet/config.json", {"layers_per_block": 10**9}, "layers_per_block is 1000000000, more"),
        ("unet/config.json", {"sample_size": 10**6}, "sample_size is 1000000, more than any model"),
        ("unet/config.json", {"sample_size": 0}, "has the sample_size 0: give the size"),
        ("text_encoder/config.json", {"num_hidden_layers": 10**7}, "num_hidden_layers is 10000000"),
        ("scheduler/scheduler_config.json", {"num_train_timesteps": 10**12}, "num_train_timesteps"),
        ("scheduler/scheduler_config.json", {"beta_end": 1e30}, "beta_end is 1e\\+30, more"),
        ("scheduler/scheduler_config.json", {"beta_end": float("nan")}, "not a finite number"),
        ("scheduler/scheduler_config.json", {"_class_name": "os"}, "its scheduler os is not one"),
        ("tokenizer/tokenizer_config.json", {"model_max_length": 10**30}, "such as 77, not 1000"),
        ("vae/config.json", {"block_out_channels": [32] * 60}, "block_out_channels has 60 values"),
        ("model_index.json", {"unet": ["os", "system"]}, "its unet is of the class system; mon"),
        ("model_index.json", {"vae": None}, "its vae is of the class None"),
    ],
)
def test_absurd_values_are_named(
    tiny_copy: Tiny, name: str, values: dict[str, object], message: str
) -> None:
    change(tiny_copy.painter / name, **values)
    with pytest.raises(CheckpointError, match=message):
        load_painter(tiny_copy.painter)


def test_a_captioner_may_not_set_the_length_of_captions(tiny_copy: Tiny) -> None:
    path = tiny_copy.captioner / "generation_config.json"
    change(path, max_new_tokens=10**9, min_length=10**8)
    load_captioner(tiny_copy.captioner)


@pytest.mark.parametrize("name", ["tokenizer_config.json", "preprocessor_config.json"])
def test_code_in_a_captioners_folder_is_neither_run_nor_asked_about(
    cli: Run, tiny_copy: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    ran = tmp_path / "ran"
    folder = tiny_copy.captioner
    (folder / "custom.py").write_text(f"open({str(ran)!r}, 'w')\nclass Custom: pass\n")
    maps = {"AutoTokenizer": ["custom.Custom", None], "AutoImageProcessor": "custom.Custom"}
    classes = {"tokenizer_class": "Custom", "image_processor_type": "Custom"}
    change(folder / name, auto_map=maps, **classes)
    image = tmp_path / "a.jpg"
    Image.new("RGB", (8, 8)).save(image)
    asked = []

    def answer(question: str = "") -> str:
        asked.append(question)
        return "y"

    monkeypatch.setattr("builtins.input", answer)
    result = cli("caption", image, "--captioner", folder)
    assert result.exit_code == 1, result.stderr
    assert "needs program code from its folder" in result.stderr
    assert "monetize never runs" in result.stderr
    assert (asked, ran.exists()) == ([], False)


def test_a_module_that_a_painter_names_is_not_imported(
    cli: Run, tiny_copy: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = tmp_path / "ran"
    for folder in (tmp_path, tiny_copy.painter, tiny_copy.painter / "unet"):
        for module in ("evil", "unet"):
            (folder / f"{module}.py").write_text(f"open({str(ran)!r}, 'w')\nclass Evil: pass\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    for entry in (["evil", "Evil"], ["unet", "Evil"], ["evil", "UNet2DConditionModel"]):
        change(tiny_copy.painter / "model_index.json", unet=entry, evil=["evil", "Evil"])
        cli("paint", "a tree", "--model", tiny_copy.painter, "--steps", 1, "-o", "a.png")
    assert not ran.exists()
    assert "evil" not in sys.modules


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_numbers_are_noticed(tiny_copy: Tiny, value: float) -> None:
    for path, load in (
        (tiny_copy.captioner / "model.safetensors", load_captioner),
        (tiny_copy.painter / "unet" / "diffusion_pytorch_model.safetensors", load_painter),
    ):
        weights = load_file(path)
        name = sorted(weights)[len(weights) // 2]
        weights[name].view(-1)[0] = value
        save_file(weights, path, metadata={"format": "pt"})
        with pytest.raises(CheckpointError, match=r"the weights of .* are not finite numbers"):
            load(path.parent if load is load_captioner else tiny_copy.painter)


def test_parts_of_different_checkpoints_are_refused(tiny_copy: Tiny) -> None:
    change(tiny_copy.painter / "tokenizer" / "tokenizer_config.json", model_max_length=200)
    with pytest.raises(CheckpointError, match="do not fit each other: 200 positions of text"):
        load_painter(tiny_copy.painter)
