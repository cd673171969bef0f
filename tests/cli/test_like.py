"""Files that `paint --like` needs and that are not on this machine."""

from pathlib import Path

import pytest
from helpers import Run, Tiny
from PIL import Image

from monetize.images.encoding import encode


@pytest.mark.parametrize(
    ("made_with", "flag", "missing", "way_out"),
    [
        ("LoRA: /there/a.safetensors=0.8", "--lora", "/there/a.safetensors", "--lora PATH=0.8"),
        ("Embedding: b.pt=style", "--embedding", "b.pt", "--embedding PATH=style"),
        ("Model: sd.safetensors", "--model", "sd.safetensors", "--model PATH"),
    ],
)
def test_a_file_that_the_painting_was_made_with_is_asked_for(
    cli: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    made_with: str,
    flag: str,
    missing: str,
    way_out: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    text = f"a lake\nSteps: 2, {made_with}, Version: monetize 0.1.0"
    Path("a.png").write_bytes(encode(Image.new("RGB", (8, 8)), Path("a.png"), text))
    result = cli("paint", "--like", "a.png", "-o", "b.png")
    assert result.exit_code == 2
    assert (
        f"--like a.png: that painting was made with {flag} {missing}, which is missing here: give "
        f"its path with {way_out}\n"
    ) in result.stderr


def test_a_file_given_on_the_command_line_overrides_it(
    cli: Run, tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "a lake\nSteps: 2, Model: sd.safetensors, Version: monetize 0.1.0"
    Path("a.png").write_bytes(encode(Image.new("RGB", (8, 8)), Path("a.png"), text))
    given = cli("paint", "--like", "a.png", "-o", "b.png", "--model", tiny.painter)
    assert given.exit_code == 0, given.stderr
    wrong = cli("paint", "--like", "a.png", "--model", "my.safetensors")
    assert "--like" not in wrong.stderr
    assert "--model my.safetensors: no such file" in wrong.stderr
