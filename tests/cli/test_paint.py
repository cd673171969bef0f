"""`monetize paint`."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from helpers import BUNDLED_PHOTOS, Run, Tiny
from PIL import Image

from monetize.images.encoding import encode

CAT = BUNDLED_PHOTOS / "cat.jpg"
PROMPT = "a pine tree and a red sun"


@pytest.fixture
def paint(cli: Run, tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `monetize paint` with the tiny painter in a folder of its own."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run(*args: object, **options: object) -> object:
        return cli("paint", *args, "--model", tiny.painter, "--steps", 2, **options)

    return run  # type: ignore[return-value]


def test_a_painting_is_named_after_prompt_and_seed(paint: Run) -> None:
    result = paint(PROMPT, "--seed", 7)
    assert result.stdout == "a-pine-tree-and-a-red-sun-7.png\n"
    again = paint(PROMPT, "--seed", 7)
    assert again.stdout == "a-pine-tree-and-a-red-sun-7-2.png\n"
    first, second = (Path(r.stdout.strip()).read_bytes() for r in (result, again))
    assert first == second


def test_a_random_seed_is_printed(paint: Run) -> None:
    result = paint(PROMPT)
    [seed] = re.findall(r"^Seed: (\d+)$", result.stderr, re.MULTILINE)
    assert Path(f"a-pine-tree-and-a-red-sun-{seed}.png").exists()


def test_several_paintings_are_numbered_with_seeds_counted_up(paint: Run) -> None:
    result = paint(PROMPT, "--seed", 7, "-n", 3, "-o", "a.png", "--batch-size", 2)
    assert result.stdout.split() == ["a-1.png", "a-2.png", "a-3.png"]
    paint(PROMPT, "--seed", 9, "-o", "nine.png")
    assert Image.open("a-3.png").tobytes() == Image.open("nine.png").tobytes()
    assert "Seed: 9," in Image.open("a-3.png").info["parameters"]


def test_a_weight_changes_the_painting_and_is_written_into_it(paint: Run) -> None:
    paint(PROMPT, "--seed", 7, "-o", "plain.png")
    paint(PROMPT, "--seed", 7, "-o", "one.png", "-w", "pine=1")
    paint(PROMPT, "--seed", 7, "-o", "less.png", "-w", "pine=-9", "-w", "red sun=2")
    plain, one, less = (Image.open(name) for name in ("plain.png", "one.png", "less.png"))
    assert plain.tobytes() == one.tobytes() != less.tobytes()
    assert 'Token weights: "pine=-9, red sun=2"' in less.info["parameters"]


def test_prompts_come_from_a_file_or_standard_input(paint: Run, tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("a lake\n\n  a tree \n")
    names = ["a-lake-1.png", "a-tree-1.png"]
    assert paint("--from-file", prompts, "--seed", 1).stdout.split() == names
    for name in names:
        Path(name).unlink()
    assert paint("-", "--seed", 1, stdin="a lake\na tree\n").stdout.split() == names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((PROMPT, "-w", "elm=2"), "'elm' is not in the prompt. Its words are: a, pine, tree, and"),
        (("pine " * 80 + "sun", "-w", "sun=2"), "'sun' is in the part that is cut"),
        ((PROMPT, "-w", "pine=nan"), "'pine=nan' is not a weight: write WORD=NUMBER"),
        ((PROMPT, "-w", "pine=1", "-w", "Pine=2"), "--weight 'pine' is given more than once"),
        (("caf\udce9",), "the prompt caf\\udce9 is not valid UTF-8"),
        ((), "give either PROMPT or --from-file"),
        (("  ",), "PROMPT is empty"),
        ((PROMPT, "-o", "a.gif"), "--output a.gif: unsupported image format; use one of"),
        ((PROMPT, "-o", "nowhere/a.png"), "there is no folder nowhere"),
        ((PROMPT, "--size", "50"), "--size 50: "),
        ((PROMPT, "--size", "64x50"), "paints sizes that are multiples of 8, such as 48 or 56"),
        ((PROMPT, "--size", "0"), "--size must be at least 8, not 0"),
        ((PROMPT, "--size", "big"), "'big' is not a size: write a whole number, WIDTHxHEIGHT"),
        ((PROMPT, "--size", "fit"), "--size fit needs --init-image"),
        ((PROMPT, "--seed", "18446744073709551615", "-n", "2"), "the last of 2 seeds would be a"),
        ((PROMPT, "--device", "cuda:99"), "--device cpu always works"),
        ((PROMPT, "--safety-checker"), "missing safety_checker/config.json"),
    ],
)  # fmt: skip
def test_what_cannot_be_painted_is_refused(
    paint: Run, arguments: tuple[str, ...], message: str
) -> None:
    result = paint(*arguments)
    assert result.exit_code == (1 if "--safety-checker" in arguments else 2)
    assert message in result.stderr
    assert list(Path().iterdir()) == []


def test_a_prompt_that_is_too_long_is_painted_with_a_warning(paint: Run) -> None:
    result = paint("pine " * 75 + "red sun", "-o", "a.png")
    assert result.exit_code == 0
    assert "longer than the 77 tokens" in result.stderr
    assert "no effect: 'red sun'" in result.stderr


def test_a_negative_prompt_that_is_too_long_is_reported(paint: Run) -> None:
    result = paint(PROMPT, "-o", "a.png", "--negative-prompt", "pine " * 75 + "red sun")
    assert result.exit_code == 0
    assert "--negative-prompt is longer than the 77 tokens" in result.stderr
    assert "no effect: 'red sun'" in result.stderr


def test_paint_replaces_no_file_silently(paint: Run) -> None:
    Path("a.jpg").write_text("mine")
    refused = paint(PROMPT, "-o", "a.jpg")
    assert refused.exit_code == 2
    assert "a.jpg exists; --overwrite replaces it" in refused.stderr
    assert paint(PROMPT, "-o", "a.jpg", "--overwrite").exit_code == 0
    assert Image.open("a.jpg").format == "JPEG"


def test_a_painting_from_a_photo_says_so_and_holds_it_in_its_metadata(paint: Run) -> None:
    arguments = (PROMPT, "--seed", 7, "--init-image", CAT, "--strength", 0.5)
    result = paint(*arguments, "-o", "a.png")
    assert result.exit_code == 0, result.stderr
    assert "cat.jpg, with 1 of 2 steps" in result.stderr
    assert "cropped" not in result.stderr, "the photo is square too"
    text = Image.open("a.png").info["parameters"]
    assert "Denoising strength: 0.5, Init image: cat.jpg," in text
    paint(*arguments[:3], "-o", "noise.png")
    assert Image.open("noise.png").tobytes() != Image.open("a.png").tobytes()
    assert "Denoising" not in Image.open("noise.png").info["parameters"]


def test_a_wide_photo_is_cropped_with_a_message_or_fitted_as_asked(paint: Run) -> None:
    Image.open(CAT).resize((96, 64)).save("wide.png")
    arguments = (PROMPT, "--seed", 7, "--init-image", "wide.png", "--strength", 0.5)
    cropped = paint(*arguments, "-o", "a.png")
    assert "wide.png: 96 × 64 pixels are cropped to 64 × 64 (--fit pad or" in cropped.stderr
    padded = paint(*arguments, "--fit", "pad", "-o", "b.png")
    assert "wide.png: 96 × 64 pixels are padded to 64 × 64\n" in padded.stderr
    assert "Init image fit: pad" in Image.open("b.png").info["parameters"]
    assert Image.open("a.png").tobytes() != Image.open("b.png").tobytes()


def test_a_painting_has_the_requested_size(paint: Run) -> None:
    Image.open(CAT).resize((96, 64)).save("wide.png")
    start = ("--init-image", "wide.png", "--strength", 0.5)
    fitted = paint(PROMPT, *start, "--size", "fit", "-o", "fit.png")
    assert fitted.exit_code == 0, fitted.stderr
    assert "Size: 80 × 56 pixels, in the shape of the photo" in fitted.stderr
    assert "cropped" not in fitted.stderr
    paint(PROMPT, "--size", "72x48", "-o", "given.png", "--heatmap", "heat.png")
    for name, width, height in (("fit", 80, 56), ("given", 72, 48)):
        picture = Image.open(f"{name}.png")
        assert picture.size == (width, height)
        assert f"Size: {width}x{height}," in picture.info["parameters"]


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_a_painting_is_repeated_from_its_file(paint: Run, cli: Run, name: str) -> None:
    paint(
        PROMPT, "--seed", 7, "-w", "pine=-3", "--size", "72x48", "--guidance-end", 0.8,
        "--scheduler", "ddim", "--negative-prompt", "a, b", "-o", name,
    )  # fmt: skip
    again = cli("paint", "--like", name, "-o", f"again-{name}")
    assert again.exit_code == 0, again.stderr
    assert "Warning" not in again.stderr
    assert Path(f"again-{name}").read_bytes() == Path(name).read_bytes()
    changed = cli("paint", "a lake", "--like", name, "-w", "lake=2", "--seed", 8, "-o", "b.png")
    assert changed.exit_code == 0, changed.stderr
    text = Image.open("b.png").info["parameters"]
    assert text.startswith("a lake\n")
    assert "Seed: 8," in text
    assert "Token weights: lake=2" in text
    assert "Sampler: DDIM" in text


def test_repeating_a_painting_from_a_photo_needs_the_photo(paint: Run, cli: Run) -> None:
    start = ("--init-image", CAT, "--strength", 0.5)
    paint(PROMPT, "--seed", 7, *start, "-o", "a.png")
    refused = cli("paint", "--like", "a.png", "-o", "b.png")
    assert refused.exit_code == 2
    assert "started from the photo cat.jpg: give it with --init-image" in refused.stderr
    cli("paint", "--like", "a.png", "--init-image", CAT, "-o", "b.png")
    assert Path("b.png").read_bytes() == Path("a.png").read_bytes()


def test_settings_of_a_painting_override_a_preset(paint: Run, cli: Run) -> None:
    paint(PROMPT, "--seed", 7, "-o", "a.png")
    Path("preset.toml").write_text("[paint]\nnum_inference_steps = 9\n")
    for flags in (("--config", "preset.toml", "--like", "a.png"),
                  ("--like", "a.png", "--config", "preset.toml")):  # fmt: skip
        cli("paint", *flags, "-o", "b.png", "--overwrite")
        assert "Steps: 2," in Image.open("b.png").info["parameters"]


def test_what_cannot_be_repeated_is_reported(paint: Run) -> None:
    text = "a (lake:1.3)\nSteps: 4, Sampler: Restart, Seed: 3, Clip skip: 2, Version: v1.9"
    Path("a.png").write_bytes(encode(Image.new("RGB", (8, 8)), Path("a.png"), text))
    result = paint("--like", "a.png", "-o", "b.png")
    assert result.exit_code == 0, result.stderr
    warning = "Warning: --like cannot repeat: Sampler: Restart; Clip skip: 2\n"
    assert warning in result.stderr
    assert "Seed: 3\n" in result.stderr
    assert paint("--like", CAT).exit_code == 1


def test_several_paintings_from_one_photo_differ_by_their_seeds(paint: Run) -> None:
    # One at a time: the last bits of a painting may depend on its batch.
    arguments = ("--init-image", CAT, "--strength", 1, "--batch-size", 1)
    paint(PROMPT, "--seed", 7, "-n", 2, "-o", "a.png", *arguments)
    paint(PROMPT, "--seed", 8, "-o", "alone.png", *arguments)
    first, second, alone = (Image.open(f"{n}.png").tobytes() for n in ("a-1", "a-2", "alone"))
    assert first != second == alone


def test_a_sweep_and_heat_maps_may_start_from_a_photo(paint: Run) -> None:
    start = ("--seed", 7, "--init-image", CAT, "--strength", 0.5, "--batch-size", 1)
    paint(PROMPT, *start, "-w", "pine=-9", "-o", "alone.png", "--heatmap", "heat.png")
    swept = paint(PROMPT, *start, "--sweep", "pine=-9:1:10", "--keep", "-o", "s.png")
    assert swept.exit_code == 0, swept.stderr
    kept, alone = (Image.open(name).tobytes() for name in ("s_pine=-9.png", "alone.png"))
    assert kept == alone
    for sheet in ("s.png", "heat.png"):
        assert "Denoising strength: 0.5" in Image.open(sheet).info["parameters"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--strength", "0.5"), 2, "--strength 0.5 needs --init-image"),
        (("--init-image", CAT), 2, "--init-image needs --strength"),
        (("--init-image", CAT, "--strength", "0"), 2, "--strength must be greater than 0 and at"),
        (("--init-image", CAT, "--strength", "2"), 2, "greater than 0 and at most 1, not 2.0"),
        (("--init-image", CAT, "--strength", "0.4"), 2, "2 × 0.4 is less than one step: use"),
        (("--init-image", "no.jpg", "--strength", "0.5"), 2, "'no.jpg' does not exist"),
        (("--init-image", __file__, "--strength", "0.5"), 1, "test_paint.py: not an image in a"),
    ],
)
def test_an_impossible_start_is_refused(
    paint: Run, arguments: tuple[str, ...], code: int, message: str
) -> None:
    result = paint(PROMPT, *arguments)
    assert result.exit_code == code
    assert message in " ".join(result.stderr.split())
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_does_not_change_the_painting(
    paint: Run, tmp_path: Path, encoding: str
) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_bytes("a lake\r\n".encode(encoding))
    paint("--from-file", prompts, "--seed", 7, "-o", "marked.png")
    paint("\ufeffa lake", "--seed", 7, "-o", "argument.png")
    paint("a lake", "--seed", 7, "-o", "plain.png")
    marked, argument, plain = (
        Path(f"{n}.png").read_bytes() for n in ("marked", "argument", "plain")
    )
    assert marked == argument == plain


def test_a_byte_order_mark_in_an_option_is_not_painted(paint: Run) -> None:
    arguments = (PROMPT, "--seed", 7)
    paint(*arguments, "--negative-prompt", "\ufeffa lake", "-w", "\ufeffpine=2", "-o", "marked.png")
    paint(*arguments, "--negative-prompt", "a lake", "-w", "pine=2", "-o", "plain.png")
    assert Path("marked.png").read_bytes() == Path("plain.png").read_bytes()
    swept = paint(*arguments, "--sweep", "\ufeffpine=0:1:1")
    assert swept.exit_code == 0, swept.stderr
    edited = paint(*arguments, "--edit", "\ufeffa pine tree and a red moon", "--only", "\ufeffmoon")
    assert edited.exit_code == 0, edited.stderr


def test_an_output_that_is_not_a_file_is_refused_before_any_work(paint: Run) -> None:
    os.mkfifo("pipe.png")
    Path("link.png").symlink_to("there.png")
    refused = paint(PROMPT, "-o", "pipe.png", "--overwrite")
    assert refused.exit_code == 1
    assert "pipe.png is a device, pipe or socket" in refused.stderr
    assert "Painter" not in refused.stderr
    assert paint(PROMPT, "-o", "link.png").exit_code == 0
    assert Path("link.png").is_symlink()
    assert Image.open("there.png").format == "PNG"


def test_a_name_taken_while_painting_is_not_overwritten(
    paint: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*args: Any, **options: Any) -> bytes:
        for name in ("a.png", "a-pine-tree-and-a-red-sun-7.png"):
            Path(name).write_text("mine")
        return encode(*args, **options)

    monkeypatch.setattr("monetize.cli.paint_writing.encode", late)
    refused = paint(PROMPT, "-o", "a.png")
    assert refused.exit_code == 2
    assert "a.png was created while this ran; --overwrite replaces it" in refused.stderr
    assert Path("a.png").read_text() == "mine"
    assert paint(PROMPT, "--seed", 7).stdout == "a-pine-tree-and-a-red-sun-7-2.png\n"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a caf\xe9", "pr.txt: not valid UTF-8 (byte 6)"),
        (b"\n", "pr.txt: there is no prompt in it"),
    ],
)
def test_a_file_of_prompts_that_cannot_be_used_is_named(
    paint: Run, data: bytes, message: str
) -> None:
    Path("pr.txt").write_bytes(data)
    result = paint("--from-file", "pr.txt")
    assert result.exit_code == 2
    assert message in result.stderr


def test_standard_input_without_a_prompt_is_named(paint: Run) -> None:
    assert "standard input: there is no prompt in it" in paint("-", stdin="\n").stderr
