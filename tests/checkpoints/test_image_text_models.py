"""Checkpoints of models that read a prompt: what is loaded, and what is refused."""

import json
from pathlib import Path

import pytest
import transformers
from helpers import CPU
from hostile_json import hostile
from make_tiny_captioners import MAKERS

from monetize.checkpoints.image_text_models import KINDS, is_image_text, load_image_text_model
from monetize.checkpoints.layout import CAPTIONER
from monetize.checkpoints.resolve import resolve
from monetize.errors import CheckpointError

kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def folder(tmp_path: Path, kind: str) -> Path:
    MAKERS[kind](tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


def load(folder: Path) -> None:
    load_image_text_model(resolve(str(folder), CAPTIONER), CPU, "")


@kinds
def test_a_checkpoint_that_transformers_5_saved_is_loaded(folder: Path, kind: str) -> None:
    processor = getattr(transformers, KINDS[kind].processor).from_pretrained(folder)
    for old in ("preprocessor_config.json", "processor_config.json"):
        (folder / old).unlink()
    processor.save_pretrained(folder)
    assert not (folder / "preprocessor_config.json").exists()
    assert is_image_text(resolve(str(folder), CAPTIONER))
    load(folder)


@kinds
def test_missing_weights_are_named(folder: Path, kind: str) -> None:
    config = json.loads((folder / "config.json").read_text())
    layers = "decoder_layers" if kind == "florence2" else "num_hidden_layers"
    config.get("text_config", config)[layers] = 3
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="has no weights for these layers"):
        load(folder)


@pytest.mark.parametrize("kind", ["blip"])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tokenizer.json", "missing vocab.json"),
        ("preprocessor_config.json", "missing preprocessor_config.json"),
        ("model.safetensors", "missing weights"),
    ],
)
def test_a_missing_file_is_named(folder: Path, kind: str, name: str, message: str) -> None:
    for extra in ("vocab.txt", "processor_config.json"):
        (folder / extra).unlink()
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=message):
        load(folder)


@pytest.mark.parametrize("kind", ["florence2"])
def test_code_in_a_checkpoint_does_not_run(folder: Path, kind: str, tmp_path: Path) -> None:
    code = f"from pathlib import Path\nPath({str(tmp_path / 'ran')!r}).touch()\n"
    (folder / "modeling_own.py").write_text(code)
    own = {name: f"modeling_own.{name}" for name in ("AutoConfig", "AutoProcessor", "AutoModel")}
    for name in ("config.json", "processor_config.json", "preprocessor_config.json"):
        content = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps({**content, "auto_map": own}))
    load(folder)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("kind", ["blip-2"])
def test_settings_of_generation_are_not_the_checkpoints(folder: Path, kind: str) -> None:
    path = folder / "generation_config.json"
    own = {**json.loads(path.read_text()), "temperature": 9.0, "do_sample": True, "max_length": 3}
    path.write_text(json.dumps(own))
    loaded = load_image_text_model(resolve(str(folder), CAPTIONER), CPU, "")
    assert loaded.model.generation_config.max_length != 3
    assert not loaded.model.generation_config.do_sample


@pytest.mark.parametrize("kind", ["blip-2", "florence2"])
@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json"])
def test_hostile_files_are_refused_in_one_line(folder: Path, kind: str, name: str) -> None:
    path = folder / name
    variants = [("model_type = []", b'{"model_type": []}'), *hostile(path.read_bytes(), 6)]
    for what, data in variants:
        path.write_bytes(data)
        checkpoint = resolve(str(folder), CAPTIONER)
        try:
            if is_image_text(checkpoint):
                load_image_text_model(checkpoint, CPU, "")
        except CheckpointError as error:
            assert "\n" not in str(error), what
