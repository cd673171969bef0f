"""Checkpoints as a node finds them."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers import CPU, Listener, Tiny, names
from huggingface_hub import constants

from monetize.checkpoints.layout import PAINTER
from monetize.checkpoints.lora import LoraFile
from monetize.checkpoints.resolve import POCKET, Checkpoint, resolve
from monetize.errors import CheckpointError
from monetize.job.executors.ray.nodes import NodeFacts, Notes, SentCheckpoint, SentFiles


def sent(checkpoint: Checkpoint) -> SentCheckpoint:
    return SentCheckpoint(checkpoint, checkpoint.revision)


def test_pocket_is_found_in_the_package_of_the_node() -> None:
    pocket = resolve(POCKET, PAINTER)
    assert pocket.bundled
    assert sent(pocket).find(CPU, Listener()) == pocket


def test_a_folder_is_the_one_of_the_same_name(tiny: Tiny) -> None:
    checkpoint = resolve(str(tiny.painter), PAINTER)
    assert sent(checkpoint).find(CPU, Listener()) == checkpoint


def test_a_hub_id_is_found_in_the_cache_of_the_node(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    for node in ("here", "there"):
        folder = tmp_path / node / "models--owner--tiny"
        shutil.copytree(tiny.painter, folder / "snapshots" / commit)
        (folder / "refs").mkdir()
        (folder / "refs" / "main").write_text(commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "here"))
    described = sent(resolve("owner/tiny", PAINTER))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "there"))
    found = described.find(CPU, Listener())
    assert found.folder == tmp_path / "there" / "models--owner--tiny" / "snapshots" / commit
    assert found.identity == f"owner/tiny@{commit[:12]}"


def test_a_folder_that_a_node_does_not_have_is_named(tiny_copy: Tiny) -> None:
    described = sent(resolve(str(tiny_copy.painter), PAINTER))
    shutil.rmtree(tiny_copy.painter)
    with pytest.raises(CheckpointError, match=r"has no .*: copy it there, .*--ship-check"):
        described.find(CPU, Listener())


def test_a_folder_with_other_files_is_refused(tiny_copy: Tiny) -> None:
    described = sent(resolve(str(tiny_copy.painter), PAINTER))
    with (tiny_copy.painter / "unet" / "config.json").open("a") as file:
        file.write("\n")
    with pytest.raises(CheckpointError, match=r"has other files in .* than this machine"):
        described.find(CPU, Listener())


def test_sent_files_are_written_once_and_are_the_same_checkpoint(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(get=lambda part: part))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    checkpoint = resolve(str(tiny.painter), PAINTER)
    files = {
        name: [data[:100], data[100:]]
        for name, path in checkpoint.files().items()
        for data in [path.read_bytes()]
    }
    revision = checkpoint.revision
    shipped = SentCheckpoint(checkpoint, revision, files=SentFiles(revision, files))
    found = shipped.find(CPU, Listener())
    assert tmp_path in found.folder.parents
    assert found.revision == checkpoint.revision
    assert names(found.folder.parent) == {found.folder.name}
    again = SentCheckpoint(checkpoint, revision, files=SentFiles(revision, {"unet": []}))
    assert again.find(CPU, Listener()) == found


def test_loras_are_always_sent(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(get=lambda part: part))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    lora = LoraFile("pines", Path("/only/there/pines.safetensors"), 0.5)
    checkpoint = replace(resolve(str(tiny.painter), PAINTER), loras=(lora,))
    sent_lora = SentFiles("sha256:1234", {"pines.safetensors": [b"a", b"b"]})
    described = SentCheckpoint(checkpoint, checkpoint.revision, loras=[sent_lora])
    [found] = described.find(CPU, Listener()).loras
    assert found.file.read_bytes() == b"ab"
    assert found.scale == 0.5


def test_a_node_tells_its_versions_and_its_device() -> None:
    facts = NodeFacts.here("cpu")
    assert facts.name
    assert facts.device.startswith("CPU (")
    assert set(facts.versions) == {"monetize", "torch", "diffusers", "transformers", "pillow"}


def test_notes_are_kept_until_they_are_taken() -> None:
    notes = Notes()
    notes.say("one")
    notes.warn("two")
    assert notes.take() == [("say", "one"), ("warn", "two")]
    assert notes.take() == []
