"""`monetize paint --edit`: a painting, its edited version, and a sheet of the two."""

from pathlib import Path

import pytest
from helpers import BUNDLED_PHOTOS, Run, Tiny
from PIL import Image

PROMPT = "a pine tree and a red sun"
EDITED = "a pine tree and a red moon"


@pytest.fixture
def paint(cli: Run, tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `monetize paint` with the tiny painter in a folder of its own."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run(*args: object) -> object:
        return cli("paint", *args, "--model", tiny.painter, "--steps", 2)

    return run  # type: ignore[return-value]


def parameters(name: str) -> str:
    with Image.open(name) as image:
        text: str = image.info["parameters"]
        return text


def test_both_paintings_and_a_sheet_are_written(paint: Run) -> None:
    result = paint(PROMPT, "--edit", EDITED, "--seed", 7, "-o", "moon.png")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.split() == ["moon-base.png", "moon.png", "moon-sheet.png"]
    base, edited, sheet = (Image.open(name) for name in result.stdout.split())
    assert base.size == edited.size == (64, 64)
    assert base.tobytes() != edited.tobytes()
    assert sheet.width > 2 * 256


def test_the_base_is_the_painting_of_the_prompt_alone(paint: Run) -> None:
    paint(PROMPT, "--edit", EDITED, "--seed", 7, "-o", "moon.png")
    paint(PROMPT, "--seed", 7, "-o", "alone.png")
    base, alone = (Image.open(name) for name in ("moon-base.png", "alone.png"))
    # Rounding depends on the size of the batch.
    levels = zip(base.tobytes(), alone.tobytes(), strict=True)
    assert max(abs(one - other) for one, other in levels) <= 1
    assert parameters("moon-base.png") == parameters("alone.png")


def test_the_edited_file_says_what_it_is_an_edit_of(paint: Run) -> None:
    options = ("-w", "moon=2", "--keep-words", 0.5, "--keep-layout-at", 8, "--only", "moon")
    result = paint(PROMPT, "--edit", EDITED, *options, "--seed", 7, "-o", "moon.jpg")
    assert result.exit_code == 0, result.stderr
    paint(PROMPT, "--edit", EDITED, *options, "--seed", 7, "-o", "moon.png")
    text = parameters("moon.png")
    assert text.startswith(f"{EDITED}\n")
    assert "Token weights: moon=2, Base prompt: a pine tree and a red sun, Keep words: 0.5" in text
    assert "Keep layout: 0.4 at 8, Only: moon, Version" in text
    assert "Sheet: base and edit" in parameters("moon-sheet.png")
    assert "Base prompt" not in parameters("moon-base.png")


def test_a_prompt_is_compared_without_and_with_its_weights(paint: Run) -> None:
    names = [f"a-pine-tree-and-a-red-sun-{seed}" for seed in (7, 8)]
    result = paint(PROMPT, "-w", "pine=-9", "--keep-layout", 0.4, "--seed", 7, "-n", 2)
    assert result.stdout.split() == [
        f"{name}{ending}.png" for name in names for ending in ("-base", "", "-sheet")
    ]
    assert "Token weights" not in parameters(f"{names[0]}-base.png")
    assert "Token weights: pine=-9" in parameters(f"{names[0]}.png")
    Path(f"{names[0]}.png").unlink()
    again = paint(PROMPT, "-w", "pine=-9", "--keep-layout", 0.4, "--seed", 7)
    assert f"{names[0]}-2.png" in again.stdout, "the name must be free for all three files"


def test_several_prompts_are_each_compared_with_their_weights(paint: Run, tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("a pine\na pine by a lake\n")
    result = paint("--from-file", prompts, "-w", "pine=0", "--keep-words", 1, "-o", "a.png")
    assert result.stdout.split()[1::3] == ["a-1.png", "a-2.png"]
    assert parameters("a-2.png").startswith("a pine by a lake\n")


def test_both_paintings_start_from_the_photo(paint: Run) -> None:
    photo = BUNDLED_PHOTOS / "sunset.jpg"
    start = ("--init-image", photo, "--strength", 0.5, "--seed", 7)
    result = paint(PROMPT, "--edit", EDITED, *start, "-o", "moon.png")
    assert result.exit_code == 0, result.stderr
    assert "Init image: sunset.jpg" in parameters("moon.png")
    paint(PROMPT, *start, "-o", "alone.png")
    assert parameters("moon-base.png") == parameters("alone.png")


def test_a_prompt_that_is_too_long_is_edited_with_a_warning(paint: Run) -> None:
    result = paint("pine " * 75 + "sun", "--edit", "big " + "pine " * 75, "-o", "a.png")
    assert result.exit_code == 0, result.stderr
    assert "the prompt is longer than the 77 tokens" in result.stderr
    assert "--edit is longer than the 77 tokens" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--edit", PROMPT), "the edited painting would be the same, as the painter sees no"),
        (("--keep-layout", "0.4"), "give another --edit, or a --weight other than 1"),
        (("--edit", "  "), "--edit is empty"),
        (("--edit", "caf\udce9"), "the prompt caf\\udce9 is not valid UTF-8"),
        (("--edit", EDITED, "--only", "elm"), "--only: 'elm' is not in the part of the prompts"),
        (("--edit", EDITED, "-w", "sun=2"), "'sun' is not in the prompt. Its words are: a, pine"),
        (("--edit", EDITED, "--keep-words", "1.5"), "--keep-words must be between 0 and 1, not 1"),
        (("--edit", EDITED, "--keep-words", "nan"), "--keep-words must be between 0 and 1, not n"),
        (("--edit", EDITED, "--keep-layout", "-1"), "--keep-layout must be between 0 and 1, not"),
        (("--edit", EDITED, "--keep-layout-at", "0"), "--keep-layout-at must be at least 1, not"),
        (("--edit", EDITED, "--sweep", "pine=0:1:1"), "--sweep cannot be combined with an edit"),
        (("--edit", EDITED, "--heatmap", "h.png"), "--heatmap cannot be combined with an edit"),
        (("--edit", EDITED, "--compile"), "a compiled model cannot paint edits: leave out --comp"),
        (("--edit", EDITED, "--palette", "monet"), "cannot be compared: leave it out, or give"),
        (("--edit", EDITED, "-o", "a.gif"), "--output a.gif: unsupported image format"),
    ],
)  # fmt: skip
def test_what_cannot_be_edited_is_refused(
    paint: Run, arguments: tuple[str, ...], message: str
) -> None:
    result = paint(PROMPT, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert list(Path().iterdir()) == []


def test_one_edit_does_not_fit_several_prompts(paint: Run, tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("a lake\na tree\n")
    result = paint("--from-file", prompts, "--edit", EDITED)
    assert result.exit_code == 2
    assert "--edit takes one prompt, not 2" in result.stderr


@pytest.mark.parametrize("taken", ["a.png", "a-base.png", "a-sheet.png"])
def test_none_of_the_files_replaces_another_silently(paint: Run, taken: str) -> None:
    Path(taken).write_text("mine")
    refused = paint(PROMPT, "--edit", EDITED, "-o", "a.png")
    assert refused.exit_code == 2
    assert f"{taken} exists; --overwrite replaces it" in refused.stderr
    assert Path(taken).read_text() == "mine"
    assert paint(PROMPT, "--edit", EDITED, "-o", "a.png", "--overwrite").exit_code == 0


def test_like_says_how_to_repeat_an_edit(paint: Run) -> None:
    paint(PROMPT, "--edit", EDITED, "--seed", 7, "-o", "a.png")
    alone = paint("--like", "a.png", "-o", "b.png")
    assert "cannot repeat: Base prompt: " in alone.stderr
    assert "To repeat the edit, give that base prompt, and this one with --edit." in alone.stderr
    again = paint(PROMPT, "--like", "a.png", "--edit", EDITED, "-o", "c.png")
    assert "To repeat the edit" not in again.stderr
    assert Path("c.png").read_bytes() == Path("a.png").read_bytes() != Path("b.png").read_bytes()
