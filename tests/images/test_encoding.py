import io
import re
from pathlib import Path

import pytest
from PIL import Image

from monetize.errors import UsageError
from monetize.images.encoding import encode, free_name, numbered, parameters
from monetize.prompts.prompt import Prompt
from monetize.prompts.weights import Weight
from monetize.settings import PaintSettings

TEXT = 'a "red" sun, été 雪\nSteps: 50'


def test_parameters_read_as_the_web_ui_writes_them() -> None:
    prompt = Prompt("a pine tree", (Weight("pine", -1), Weight("@2", 0.5)))
    settings = PaintSettings(
        "sd-v1-4",
        num_inference_steps=20,
        guidance_scale=7.5,
        negative_prompt="people",
        weight_end=0.5,
    )
    text = parameters(prompt, settings, seed=7, size=512, scheduler="LMSDiscreteScheduler")
    first, second, pairs = text.split("\n")
    assert first == "a pine tree"
    assert second == "Negative prompt: people"
    # The pattern is the web UI's own way to take the last line apart.
    read = dict(re.findall(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)', pairs))
    assert read == {
        "Steps": "20",
        "Sampler": "LMS",
        "CFG scale": "7.5",
        "Seed": "7",
        "Size": "512x512",
        "Model": "sd-v1-4",
        "Token weights": '"pine=-1, @2=0.5"',
        "Token weights range": "0.0-0.5",
        "Version": read["Version"],
    }


def test_no_weights_are_not_mentioned() -> None:
    text = parameters(Prompt("x"), PaintSettings(), seed=1, size=512, scheduler="PNDMScheduler")
    assert "Sampler: PLMS" in text
    assert "weights" not in text
    assert "Negative" not in text


@pytest.mark.parametrize("text", [TEXT, "plain"])
def test_a_png_carries_its_parameters(text: str) -> None:
    data = encode(Image.new("RGB", (8, 8)), Path("a.png"), text)
    assert Image.open(io.BytesIO(data)).info["parameters"] == text


def test_a_jpeg_carries_its_parameters_in_the_user_comment() -> None:
    data = encode(Image.new("RGB", (8, 8)), Path("a.JPG"), TEXT)
    image = Image.open(io.BytesIO(data))
    assert image.format == "JPEG"
    comment = image.getexif().get_ifd(0x8769)[0x9286]
    assert comment[:8] == b"UNICODE\0"
    assert comment[8:].decode("utf-16-be") == TEXT
    undefined = bytes([0x92, 0x86, 0, 7])
    assert undefined in data, "other readers refuse a comment of another type"


def test_a_prompt_that_no_jpeg_can_carry_is_refused() -> None:
    with pytest.raises(UsageError, match=r"so long a prompt does not fit a JPEG; write a .png"):
        encode(Image.new("RGB", (8, 8)), Path("a.jpg"), "x" * 33_000)


def test_another_ending_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--output a.gif: .* \.png, \.jpg, \.jpeg"):
        encode(Image.new("RGB", (8, 8)), Path("a.gif"), "")


def test_several_paintings_are_numbered() -> None:
    assert numbered(Path("x/a.png"), 1) == [Path("x/a.png")]
    assert numbered(Path("x/a.png"), 2) == [Path("x/a-1.png"), Path("x/a-2.png")]
    assert numbered(Path("a.png"), 10)[0] == Path("a-01.png")


def test_a_free_name_tells_prompt_and_seed_and_is_free(tmp_path: Path) -> None:
    first = free_name("A pine tree, & a/red sun!", 7, tmp_path)
    assert first == tmp_path / "a-pine-tree-a-red-sun-7.png"
    first.touch()
    assert (
        free_name("A pine tree, & a/red sun!", 7, tmp_path).name == "a-pine-tree-a-red-sun-7-2.png"
    )
    assert free_name("!?", 7, tmp_path).name == "painting-7.png"
    assert len(free_name("long " * 100, 7, tmp_path).name) < 80
