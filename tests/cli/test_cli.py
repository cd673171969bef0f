"""The commands `caption`, `paint`, `tokens` and `models`, and what all commands share."""

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
import termios
from pathlib import Path

import click
import pytest
import torch
from diffusers import StableDiffusionPipeline
from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
from helpers import BUNDLED_PHOTOS, Run, Tiny, members, rows
from PIL import Image
from transformers import CLIPConfig, CLIPImageProcessor

from monetize.cli import main

PROMPT = "a pine tree and a red sun"


def run_python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_help_needs_no_heavy_import() -> None:
    heavy = run_python(
        "import sys, monetize.cli\n"
        "print({'torch', 'transformers', 'diffusers', 'numpy', 'scipy'} & set(sys.modules))"
    )
    assert heavy.strip() == "set()"


def test_tokens_needs_no_torch(tiny: Tiny) -> None:
    code = (
        "import sys, monetize.cli\n"
        f"monetize.cli.main(['tokens', 'a tree', '--model', {str(tiny.painter)!r}], "
        "standalone_mode=False)\n"
        "print({'torch', 'diffusers'} & set(sys.modules))"
    )
    assert run_python(code).splitlines()[-1] == "set()"


@pytest.mark.parametrize(
    "command", ["run", "check", "score", "gallery", "caption", "paint", "tokens", "models"]
)
def test_every_command_has_examples_and_describes_every_option(cli: Run, command: str) -> None:
    result = cli(command, "--help")
    assert result.exit_code == 0
    assert f"  monetize {command}" in result.stdout
    options = [each for each in main.commands[command].params if isinstance(each, click.Option)]
    assert options
    assert [option.opts for option in options if not option.help] == []


def test_a_bug_keeps_its_traceback(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_model: object) -> bool:
        raise ZeroDivisionError

    monkeypatch.setattr("monetize.checkpoints.resolve.is_cached", broken)
    with pytest.raises(ZeroDivisionError):
        cli("models")


def test_verbose_shows_where_an_error_comes_from(cli: Run, tmp_path: Path) -> None:
    short = cli("tokens", PROMPT, "--model", tmp_path)
    assert short.exit_code == 1
    assert "Traceback" not in short.stderr
    long = cli("tokens", PROMPT, "--model", tmp_path, "--verbose")
    assert "Traceback" in long.stderr


def test_a_terminal_is_shown_bars(tiny: Tiny, photos: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    command = [sys.executable, "-m", "monetize", "run", photos, tmp_path / "a.zip", *tiny.flags]
    process = subprocess.Popen([*map(str, command), "--steps", "2"], stderr=theirs, stdout=theirs)
    os.close(theirs)
    shown = b""
    try:
        while data := os.read(ours, 4096):
            shown += data
    except OSError:  # Linux's way to say that the other end is closed
        pass
    os.close(ours)
    assert process.wait() == 0
    text = shown.decode()
    assert re.search(r"Captioning 100%\|█+\| 6/6 \[00:\d\d, 00:00 left, [\d.]+ photos/s\]", text)
    assert re.search(r"Painting +\d+%\|.*\| \d/6 \[.* left, ", text)
    assert text.rstrip().endswith(f"in {tmp_path / 'a.zip'}")


# caption


def test_one_photo_gives_its_caption_alone(cli: Run, tiny: Tiny) -> None:
    photo = BUNDLED_PHOTOS / "temple.jpg"
    result = cli("caption", photo, "--captioner", tiny.captioner)
    assert result.exit_code == 0, result.stderr
    [caption] = result.stdout.splitlines()
    assert "\t" not in caption
    both = cli("caption", photo, BUNDLED_PHOTOS / "cat.jpg", "--captioner", tiny.captioner)
    assert both.stdout.splitlines()[0] == f"{photo}\t{caption}"


def test_a_folders_captions_fit_run(
    cli: Run, run_job: Run, tiny: Tiny, photos: Path, tmp_path: Path
) -> None:
    (photos / "sub").mkdir()
    (photos / "photo5.jpg").rename(photos / "sub" / "a, b.jpg")
    table = tmp_path / "captions.csv"
    result = cli("caption", photos, "--captioner", tiny.captioner, "-o", table)
    assert result.stderr.splitlines()[-1] == f"Done: 6 captions in {table}"
    assert [row["photo"] for row in rows(table)][-1] == "sub/a, b.jpg"
    given = run_job(photos, tmp_path / "given.zip", "--captions", table)
    assert given.exit_code == 0, given.stderr
    run_job(photos, tmp_path / "own.zip")
    assert members(tmp_path / "given.zip") == members(tmp_path / "own.zip")


def test_captions_are_printed_as_csv_and_json(cli: Run, tiny: Tiny, photos: Path) -> None:
    flags = ("--captioner", tiny.captioner)
    table = list(csv.DictReader(io.StringIO(cli("caption", photos, "--csv", *flags).stdout)))
    objects = json.loads(cli("caption", photos, "--json", *flags).stdout)
    lines = cli("caption", photos, *flags).stdout.splitlines()
    assert table == objects
    assert lines == [f"{row['photo']}\t{row['caption']}" for row in table]
    assert [row["photo"] for row in table] == [f"photo{i}.jpg" for i in range(6)]


def test_a_bad_photo_is_told_beside_the_captions(cli: Run, tiny: Tiny, photos: Path) -> None:
    (photos / "photo2.jpg").write_bytes(b"")
    result = cli("caption", photos, "--captioner", tiny.captioner, "--json")
    assert result.exit_code == 3
    assert "cannot read photo2.jpg: empty file" in result.stderr
    objects = json.loads(result.stdout)
    assert {"photo": "photo2.jpg", "error": "empty file"} in objects
    assert sum("caption" in each for each in objects) == 5


def test_caption_wants_one_form_and_some_photo(cli: Run, tiny: Tiny, tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"")
    flags = ("--captioner", tiny.captioner)
    both = cli("caption", photo, "--csv", "-o", tmp_path / "a.json", *flags)
    assert both.exit_code == 2
    assert "a.json and --csv name different forms: keep one" in both.stderr
    none = cli("caption", photo, *flags)
    assert none.exit_code == 1
    assert f"None of the photos can be read: {photo}: empty file" in none.stderr


def test_caption_replaces_no_file_silently(cli: Run, tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("mine")
    photo = BUNDLED_PHOTOS / "cat.jpg"
    command = ("caption", photo, "--captioner", tiny.captioner, "-o", tmp_path / "a.csv")
    refused = cli(*command)
    assert refused.exit_code == 2
    assert (tmp_path / "a.csv").read_text() == "mine"
    assert cli(*command, "--overwrite").exit_code == 0
    assert rows(tmp_path / "a.csv")[0]["photo"] == str(photo)


# paint


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


def test_a_random_seed_is_told(paint: Run) -> None:
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
        ((), "give one of PROMPT and --from-file"),
        (("  ",), "PROMPT is empty"),
        ((PROMPT, "-o", "a.gif"), "--output a.gif: a picture is written as .png"),
        ((PROMPT, "-o", "nowhere/a.png"), "there is no folder nowhere"),
        ((PROMPT, "--size", "50"), "--size 50: "),
        ((PROMPT, "--seed", "18446744073709551615", "-n", "2"), "the last of 2 seeds would be a"),
        ((PROMPT, "--device", "cuda:99"), "--device cpu always works"),
        ((PROMPT, "--safety-checker"), "it lacks safety_checker/config.json"),
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


def test_a_negative_prompt_that_is_too_long_is_told(paint: Run) -> None:
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


def test_what_the_safety_checker_flags_is_black_and_told(
    cli: Run, run_job: Run, tiny_copy: Tiny, photos: Path, tmp_path: Path
) -> None:
    small = {
        "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1,
        "num_attention_heads": 2, "image_size": 32, "patch_size": 8, "projection_dim": 16,
    }  # fmt: skip
    config = CLIPConfig(vision_config=small, projection_dim=16)
    checker = StableDiffusionSafetyChecker(config)
    with torch.no_grad():
        checker.concept_embeds_weights.fill_(-2)  # every likeness is above this
    pipeline = StableDiffusionPipeline.from_pretrained(tiny_copy.painter, safety_checker=None)
    size = {"height": 32, "width": 32}
    pipeline.register_modules(
        safety_checker=checker,
        feature_extractor=CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=size),
    )
    pipeline.register_to_config(requires_safety_checker=True)
    pipeline.save_pretrained(tiny_copy.painter)
    out = tmp_path / "a.zip"
    command = ("run", photos, out, "--steps", 1, "--limit", 2, *tiny_copy.flags)
    result = cli(*command, "--safety-checker")
    assert result.exit_code == 0, result.stderr
    assert "blacked out by the safety checker: 2 paintings, listed in" in result.stderr
    assert {row["status"] for row in rows(tmp_path / "a.csv")} == {"flagged"}
    black = Image.open(io.BytesIO(members(out)["photo0.jpg"]))
    assert black.getextrema() == ((0, 0), (0, 0), (0, 0))
    assert cli(*command, "--overwrite").exit_code == 0
    assert {row["status"] for row in rows(tmp_path / "a.csv")} == {"painted"}


# tokens


def test_tokens_lists_positions_and_weights(cli: Run, tiny: Tiny) -> None:
    result = cli("tokens", PROMPT, "--model", tiny.painter, "-w", "red sun=2.5")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["position", "token", "weight"]
    assert lines[1] == ["@0", "<|startoftext|>", "1"]
    assert ["@6", "red</w>", "2.5"] in lines
    assert len(lines) == 10


def test_tokens_as_json(cli: Run, tiny: Tiny) -> None:
    result = cli("tokens", PROMPT, "--model", tiny.painter, "-w", "pine=-1", "--json")
    assert json.loads(result.stdout)[2] == {
        "position": 2, "text": "pine</w>", "weight": -1.0, "cut": False,
    }  # fmt: skip


def test_tokens_shows_what_is_cut(cli: Run, tiny: Tiny) -> None:
    result = cli("tokens", "pine " * 75 + "red sun", "--model", tiny.painter)
    assert "longer than the 77 tokens that the painter sees" in result.stderr
    assert "no effect: 'red sun'" in result.stderr
    assert ["-", "sun</w>", "cut"] in [line.split() for line in result.stdout.splitlines()]
    assert result.stdout.splitlines()[-1].split() == ["@76", "<|endoftext|>", "1"]


# models


def test_models_lists_names_and_whether_they_are_here(cli: Run) -> None:
    text = cli("models").stdout
    assert "--model sd-v1-4: not on this machine yet" in text
    assert "--captioner vit-gpt2: not on this machine yet" in text
    assert "--model pocket: on this machine" in text
    objects = json.loads(cli("models", "--json").stdout)
    assert {each["name"] for each in objects} == {
        "pocket", "vit-gpt2", "sd-v1-4", "sd-v1-3", "sd-v1-2", "sd-v1-1",
    }  # fmt: skip
