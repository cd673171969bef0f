import io
import re
from pathlib import Path

import pytest
from PIL import Image

from monetize.errors import UsageError
from monetize.images.encoding import encode, parameters
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
    text = parameters(prompt, settings, seed=7, size=(512, 512), scheduler="LMSDiscreteScheduler")
    first, second, pairs = text.split("\n")
    assert first == "a pine tree"
    assert second == "Negative prompt: people"
    # The web UI's own pattern for parsing the last line.
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


def test_parameters_without_weights_do_not_mention_them() -> None:
    text = parameters(
        Prompt("x"), PaintSettings(), seed=1, size=(512, 512), scheduler="PNDMScheduler"
    )
    assert "Sampler: PLMS" in text
    assert "weights" not in text
    assert "Negative" not in text


@pytest.mark.parametrize("text", [TEXT, "plain"])
def test_a_png_contains_its_parameters(text: str) -> None:
    data = encode(Image.new("RGB", (8, 8)), Path("a.png"), text)
    assert Image.open(io.BytesIO(data)).info["parameters"] == text


def test_a_jpeg_contains_its_parameters_in_the_user_comment() -> None:
    data = encode(Image.new("RGB", (8, 8)), Path("a.JPG"), TEXT)
    image = Image.open(io.BytesIO(data))
    assert image.format == "JPEG"
    comment = image.getexif().get_ifd(0x8769)[0x9286]
    assert comment[:8] == b"UNICODE\0"
    assert comment[8:].decode("utf-16-be") == TEXT
    undefined = bytes([0x92, 0x86, 0, 7])
    assert undefined in data, "other readers reject a comment of another type"


def test_a_prompt_too_long_for_a_jpeg_is_refused() -> None:
    with pytest.raises(UsageError, match=r"is too long for a JPEG's metadata; use \.png"):
        encode(Image.new("RGB", (8, 8)), Path("a.jpg"), "x" * 33_000)


def test_other_extensions_are_refused() -> None:
    with pytest.raises(UsageError, match=r"--output a.gif: .* \.png, \.jpg, \.jpeg"):
        encode(Image.new("RGB", (8, 8)), Path("a.gif"), "")
