import shutil
from pathlib import Path

import pytest
from helpers import Tiny

from monetize.checkpoints.layout import CAPTIONER, CHECKED_PAINTER, PAINTER
from monetize.checkpoints.resolve import KNOWN, resolve
from monetize.errors import CheckpointError, UsageError


def test_a_folder_is_used_as_it_is(tiny: Tiny) -> None:
    checkpoint = resolve(str(tiny.painter), PAINTER)
    assert checkpoint.folder == tiny.painter
    assert checkpoint.revision.startswith("sha256:")


def test_the_revision_changes_with_the_weights_but_not_with_the_place(tiny_copy: Tiny) -> None:
    before = resolve(str(tiny_copy.captioner), CAPTIONER).revision
    moved = tiny_copy.captioner.with_name("moved")
    shutil.copytree(tiny_copy.captioner, moved)
    assert resolve(str(moved), CAPTIONER).revision == before
    weights = moved / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    assert resolve(str(moved), CAPTIONER).revision != before


def test_a_folder_is_refused_with_its_missing_files(tmp_path: Path, tiny: Tiny) -> None:
    with pytest.raises(CheckpointError, match=r"is not a diffusers .* missing model_index.json"):
        resolve(str(tmp_path), PAINTER)
    with pytest.raises(CheckpointError, match=r"--captioner .* missing .*weights"):
        resolve(str(tiny.painter), CAPTIONER)


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"")
    with pytest.raises(
        CheckpointError,
        match=r"is a file; a folder in diffusers .* or a file .safetensors or .ckpt",
    ):
        resolve(str(file), PAINTER)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "sd-v1-5",
            r"neither a known name \(pocket, sd-v1-4, .* nor a hub id .* Did you mean sd-v1",
        ),
        ("vit-gpt2", "--model vit-gpt2: no such folder"),
        ("./nowhere/at-all", "no such folder"),
        ("a/b/c", "no such folder"),
    ],
)
def test_an_invalid_name_is_a_usage_error(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        resolve(name, PAINTER)


def test_offline_lists_the_alternatives() -> None:
    with pytest.raises(
        CheckpointError,
        match=r"--offline does not allow .*. Alternatives: .*--model FOLDER",
    ):
        resolve("sd-v1-4", PAINTER, offline=True)


def test_an_unreachable_hub_says_what_was_tried() -> None:
    with pytest.raises(
        CheckpointError,
        match=r"nlpconnect/vit-gpt2-image-captioning is neither .* cannot be reached .* Altern",
    ):
        resolve("vit-gpt2", CAPTIONER)


def test_known_names_are_those_of_the_right_repositories() -> None:
    repositories = {model.name: model.repo_id for model in KNOWN if model.repo_id}
    assert repositories == {
        "vit-gpt2": "nlpconnect/vit-gpt2-image-captioning",
        "sd-v1-4": "CompVis/stable-diffusion-v1-4",
        "sd-v1-3": "CompVis/stable-diffusion-v1-3",
        "sd-v1-2": "CompVis/stable-diffusion-v1-2",
        "sd-v1-1": "CompVis/stable-diffusion-v1-1",
    }


def test_a_painter_without_a_safety_checker_is_refused_with_the_checker(tiny: Tiny) -> None:
    with pytest.raises(
        CheckpointError, match=r"safety checker checkpoint: missing safety_checker/"
    ):
        resolve(str(tiny.painter), CHECKED_PAINTER)
