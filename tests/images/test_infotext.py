"""What paintings' files say about how they were made."""

import io
import time
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from monetize.errors import InputError
from monetize.images.encoding import encode
from monetize.images.infotext import Infotext, parse_infotext, read_infotext
from monetize.images.repaint import repaint

TEXT = """a "red" sun, été 雪
Negative prompt: people, cars
Steps: 20, Sampler: DPM++ 2M, CFG scale: 7.5, Token weights: "pine=-1, red sun=2", Size: 512x384"""
PARSED = Infotext(
    'a "red" sun, été 雪',
    "people, cars",
    {
        "Steps": "20",
        "Sampler": "DPM++ 2M",
        "CFG scale": "7.5",
        "Token weights": "pine=-1, red sun=2",
        "Size": "512x384",
    },
)
BLACK = Image.new("RGB", (8, 8))


def test_prompts_and_settings_are_told_apart() -> None:
    assert parse_infotext(TEXT) == PARSED
    assert parse_infotext("one\ntwo\nSteps: 5") == Infotext("one\ntwo", "", {"Steps": "5"})
    assert parse_infotext("Negative prompt: x\nSteps: 5") == Infotext("", "x", {"Steps": "5"})
    quoted = parse_infotext('x\nSteps: 5, Lora hashes: "a: \\"b\\", c", Version: v1.9')
    assert quoted is not None
    assert quoted.settings["Lora hashes"] == 'a: "b", c'


@pytest.mark.parametrize("text", ["", "a lake", "Steps are many"])
def test_text_without_settings_is_no_infotext(text: str) -> None:
    assert parse_infotext(text) is None


@pytest.mark.parametrize("part", ["a", ", ", ": ", '"', "a:", '"\\', "(a:1"])
def test_hostile_text_takes_no_time(part: str) -> None:
    begin = time.monotonic()
    infotext = parse_infotext("x\nSteps: 1, " + part * (600_000 // len(part)))
    assert infotext is not None
    repaint(infotext)
    assert time.monotonic() - begin < 2


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_what_was_written_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(encode(BLACK, Path(name), TEXT))
    assert read_infotext(tmp_path / name) == PARSED


@pytest.mark.parametrize("packed", [False, True])
def test_packed_text_of_a_png_is_read(tmp_path: Path, packed: bool) -> None:
    info = PngInfo()
    info.add_itxt("parameters", TEXT, zip=packed)
    BLACK.save(tmp_path / "a.png", pnginfo=info)
    assert read_infotext(tmp_path / "a.png") == PARSED
    latin = PngInfo()
    latin.add_text("parameters", "a lake\nSteps: 5", zip=packed)
    BLACK.save(tmp_path / "b.png", pnginfo=latin)
    assert read_infotext(tmp_path / "b.png").prompt == "a lake"


@pytest.mark.parametrize(
    "comment",
    [
        b"UNICODE\0" + TEXT.encode("utf-16-be"),
        b"UNICODE\0" + TEXT.encode("utf-16-le"),
        b"ASCII\0\0\0" + TEXT.encode(),
    ],
)
def test_comments_in_other_encodings_are_read(tmp_path: Path, comment: bytes) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = comment
    BLACK.save(tmp_path / "a.webp", exif=exif)
    assert read_infotext(tmp_path / "a.webp") == PARSED


def bomb() -> bytes:
    buffer = io.BytesIO()
    info = PngInfo()
    info.add_itxt("parameters", "x" * 5_000_000, zip=True)
    BLACK.save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.png", b"", "a.png: empty file"),
        ("a.png", b"hello", "a.png: not an image in a supported format"),
        ("a.png", encode(BLACK, Path("a.png"), "a lake"), "does not say how it was painted"),
        ("a.png", encode(BLACK, Path("a.png"), TEXT)[:50], "does not say how it was painted"),
        ("a.jpg", encode(BLACK, Path("a.jpg"), ""), "does not say how it was painted"),
        ("a.png", bomb(), "does not say how it was painted"),
    ],
)  # fmt: skip
def test_a_file_without_text_is_named(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=message):
        read_infotext(tmp_path / name)
