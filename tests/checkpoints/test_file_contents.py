"""Files that contain something else than weights are called what they are."""

from pathlib import Path

import pytest
from helpers import Tiny

from monetize.captioning.captioner import Captioner
from monetize.checkpoints.file_contents import not_weights
from monetize.checkpoints.single_file import read_shapes
from monetize.errors import CheckpointError
from monetize.painting.painter import Painter

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3000000\n"
CONTENTS = [
    (b"", r"it is empty"),
    (POINTER, r"Git LFS pointer, .* git lfs pull"),
    (b"\n<!DOCTYPE html><title>Log in</title>", r"web page \(HTML\)"),
    (b"eggs and milk\n", r"a text file, not weights"),
]


@pytest.mark.parametrize("name", ["monet.safetensors", "monet.pt"])
@pytest.mark.parametrize(("content", "message"), CONTENTS)
def test_a_file_is_called_what_it_is(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"--lora .*{name} cannot be read: .*{message}"):
        read_shapes("--lora", file)


def test_of_other_files_nothing_is_claimed(tmp_path: Path) -> None:
    file = tmp_path / "monet.safetensors"
    for content in (b"\x80\x02}", b"\xe9t\xe9", b"PK\x03\x04"):
        file.write_bytes(content)
        assert not_weights(file) == ""


def test_a_pointer_in_a_folder_is_named(tiny_copy: Tiny) -> None:
    unet = tiny_copy.painter / "unet" / "diffusion_pytorch_model.safetensors"
    captioner = tiny_copy.captioner / "model.safetensors"
    for file in (unet, captioner):
        assert file.is_file()
        file.write_bytes(POINTER)
    with pytest.raises(CheckpointError, match=rf"{unet} cannot be read: it is a Git LFS"):
        Painter.from_pretrained(str(tiny_copy.painter), device="cpu")
    with pytest.raises(CheckpointError, match=rf"{captioner} cannot be read: it is a Git LFS"):
        Captioner.from_pretrained(str(tiny_copy.captioner), device="cpu")


def test_a_pointer_in_place_of_a_configuration_is_named(tiny_copy: Tiny) -> None:
    (tiny_copy.captioner / "config.json").write_bytes(POINTER)
    with pytest.raises(CheckpointError, match=r"config.json is not a usable .*: it is a Git LFS"):
        Captioner.from_pretrained(str(tiny_copy.captioner), device="cpu")
