"""Finding and reading checkpoints of one file."""

import hashlib
import pickle
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from helpers import Listener, Run, Tiny
from safetensors.torch import save_file
from single_files import write_single_file

from monetize.checkpoints.layout import CAPTIONER, CHECKED_PAINTER, PAINTER
from monetize.checkpoints.resolve import resolve
from monetize.checkpoints.single_file import TRAINER_CLASS, read_shapes, read_weights
from monetize.errors import CheckpointError, UsageError


@pytest.fixture
def single(tiny: Tiny, tmp_path: Path) -> Path:
    return write_single_file(tiny.painter, tmp_path / "tiny.safetensors")


def test_its_identity_is_the_digest_of_the_file(single: Path) -> None:
    checkpoint = resolve(str(single), PAINTER)
    assert checkpoint.revision == f"sha256:{hashlib.sha256(single.read_bytes()).hexdigest()}"
    moved = single.rename(single.with_name("moved.safetensors"))
    assert resolve(str(moved), PAINTER).identity == checkpoint.identity
    assert checkpoint.weights_path == single


def test_a_missing_file_is_not_looked_for_on_the_hub() -> None:
    for name in ("models/nowhere.safetensors", "nowhere.ckpt"):
        with pytest.raises(UsageError, match=f"--model {name}: no such file"):
            resolve(name, PAINTER)


def test_a_single_file_has_no_safety_checker(single: Path) -> None:
    with pytest.raises(CheckpointError, match=r"single file, which has no safety checker: use a"):
        resolve(str(single), CHECKED_PAINTER)


def test_a_single_file_is_no_captioner(single: Path) -> None:
    with pytest.raises(CheckpointError, match=r"is a file; a folder in transformers .* is needed"):
        resolve(str(single), CAPTIONER)


def test_other_models_are_refused_by_what_they_are(tmp_path: Path) -> None:
    file = tmp_path / "monet.safetensors"
    save_file({"lora_unet_mid_block_attentions_0_proj_in.lora_down.weight": torch.ones(1)}, file)
    with pytest.raises(CheckpointError, match=r"monet.safetensors is a LoRA; .* --lora"):
        resolve(str(file), PAINTER)


@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"PK\x03\x04 nothing"])
def test_a_damaged_file_is_named(tmp_path: Path, suffix: str, content: bytes) -> None:
    file = tmp_path / f"damaged{suffix}"
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"damaged{suffix} cannot be read: \w.* download it"):
        resolve(str(file), PAINTER)


class Program:
    """What a pickle may run when it is read."""

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (Path("ran"),)


def test_a_program_in_a_pickle_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "evil.ckpt"
    torch.save({"state_dict": {"a": torch.ones(1)}, "evil": Program()}, file)
    with pytest.raises(CheckpointError, match=r"holds more than weights, .* Use the .safetensors"):
        resolve(str(file), PAINTER)
    (tmp_path / "old.ckpt").write_bytes(pickle.dumps(Program()))
    with pytest.raises(CheckpointError, match=r"old.ckpt"):
        resolve(str(tmp_path / "old.ckpt"), PAINTER)
    assert not (tmp_path / "ran").exists()


def test_the_trainers_class_in_compvis_files_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, _, name = TRAINER_CLASS.rpartition(".")
    trainer = type(name, (), {"__module__": module})
    fake = ModuleType(module)
    setattr(fake, name, trainer)
    parents = [".".join(module.split(".")[:i]) for i in range(1, module.count(".") + 1)]
    for parent in parents:
        monkeypatch.setitem(sys.modules, parent, ModuleType(parent))
    monkeypatch.setitem(sys.modules, module, fake)
    file = tmp_path / "sd-v1-4.ckpt"
    torch.save({"callbacks": {trainer: {}}, "state_dict": {"a": torch.ones(2)}}, file)
    for parent in [*parents, module]:
        monkeypatch.delitem(sys.modules, parent)
    assert read_shapes("--model", file) == {"a": (2,)}
    assert torch.equal(read_weights("--model", file)["a"], torch.ones(2))


def test_a_pickle_of_old_torch_is_read(tmp_path: Path) -> None:
    file = tmp_path / "old.ckpt"
    torch.save({"a": torch.ones(2)}, file, _use_new_zipfile_serialization=False)
    assert read_shapes("--model", file) == {"a": (2,)}


def test_its_tokens_are_those_of_clip(single: Path, cli: Run) -> None:
    result = cli("tokens", "a pine tree", "--model", single)
    assert result.exit_code == 0, result.stderr
    assert "@2  pine</w>" in result.stdout


def test_a_plain_file_needs_no_message(single: Path) -> None:
    listener = Listener()
    resolve(str(single), PAINTER, say=listener.say)
    assert listener.said == []


def test_an_unknown_kind_of_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    save_file({"weight": torch.ones(1)}, tmp_path / "foreign.safetensors")
    with pytest.raises(
        CheckpointError,
        match=r"foreign.safetensors is not a checkpoint of Stable Diffusion v1: none .*_model.$",
    ):
        resolve(str(tmp_path / "foreign.safetensors"), PAINTER)
