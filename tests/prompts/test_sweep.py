"""Sweeps: the syntax, the grid, and `monetize paint --sweep`."""

from pathlib import Path

import pytest
from helpers import Run, Tiny
from PIL import Image, ImageChops

from monetize.errors import UsageError
from monetize.prompts.sweep import Grid, Sweep, parse_sweep
from monetize.prompts.weights import Weight

PROMPT = "a pine tree and a red sun"


@pytest.mark.parametrize(
    ("text", "phrase", "values"),
    [
        ("pine=-2:2:1", "pine", (-2, -1, 0, 1, 2)),
        (" red  sun =1:0:-0.5", "red sun", (1, 0.5, 0)),
        ("@6=0:1:0.3", "@6", (0, 0.3, 0.6, 0.9)),
        ("a=b=2:2:1", "a=b", (2,)),
        ("x=0:1:0.1", "x", (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)),
        ("x=1:100:1", "x", tuple(range(1, 101))),
    ],
)
def test_sweeps_are_parsed_in_decimals(text: str, phrase: str, values: tuple[float, ...]) -> None:
    sweep = parse_sweep(text)
    assert (sweep.phrase, sweep.values) == (phrase, values)


def test_weights_of_a_sweep_are_formatted_without_rounding_errors() -> None:
    assert [str(weight) for weight in parse_sweep("x=-0.2:0.2:0.1").weights] == [
        "x=-0.2", "x=-0.1", "x=0", "x=0.1", "x=0.2",
    ]  # fmt: skip
    assert str(parse_sweep("x=-0:0:1").weights[0]) == "x=0"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pine", r"is not a sweep: write WORD=START:STOP:STEP, such as pine=-2:2:1"),
        ("pine=1", "is not a sweep"),
        ("pine=1:2", "is not a sweep"),
        ("pine=1:2:3:4", "is not a sweep"),
        ("=1:2:1", "is not a sweep"),
        ("pine=1:x:1", "is not a sweep"),
        ("pine=1:nan:1", "is not a sweep"),
        ("pine=1:snan:1", "is not a sweep"),
        ("pine=1:inf:1", "is not a sweep"),
        ("pine=1:1e999:1", "is not a sweep"),
        ("pine=1:2:0", "the step must not be 0"),
        ("pine=2:-2:1", "steps of 1 never reach -2: use -1 as the step"),
        ("pine=0:1:0.01", "more than 100 pictures: use a larger step than 0.01"),
        ("pine=0:1:1e-999", "more than 100 pictures"),
    ],
)
def test_other_text_is_not_a_sweep(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_sweep(text)


def test_the_first_sweep_makes_the_columns_and_other_weights_stay() -> None:
    grid = Grid(
        PROMPT, (Weight("tree", 3),), (parse_sweep("pine=0:2:1"), parse_sweep("sun=-1:0:1"))
    )
    told = [[str(weight) for weight in prompt.weights] for prompt in grid.prompts]
    assert told[:4] == [
        ["tree=3", "pine=0", "sun=-1"],
        ["tree=3", "pine=1", "sun=-1"],
        ["tree=3", "pine=2", "sun=-1"],
        ["tree=3", "pine=0", "sun=0"],
    ]
    assert len(told) == 6
    assert [path.name for path in grid.picture_paths(Path("a.jpg"))][:2] == [
        "a_pine=0_sun=-1.jpg", "a_pine=1_sun=-1.jpg",
    ]  # fmt: skip


def test_names_of_kept_pictures_are_valid_file_names() -> None:
    sweep = Sweep("a/b c: d" * 9, (0.5,), "")
    [path] = Grid(PROMPT, (), (sweep,)).picture_paths(Path("here/a.png"))
    assert path == Path("here/a_a-b-c-da-b-c-da-b-c-=0.5.png")


@pytest.fixture
def paint(cli: Run, tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `monetize paint` with the tiny painter in a folder of its own."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run(*args: object) -> object:
        return cli("paint", *args, "--model", tiny.painter, "--steps", 2, "--seed", 7)

    return run  # type: ignore[return-value]


def test_a_sweep_is_one_sheet_under_an_unused_name(paint: Run) -> None:
    result = paint(PROMPT, "--sweep", "pine=-1:1:1")
    assert result.stdout == "a-pine-tree-and-a-red-sun-7-sweep.png\n"
    assert [path.name for path in Path().iterdir()] == [result.stdout.strip()]
    text = Image.open(result.stdout.strip()).info["parameters"]
    assert "Seed: 7," in text
    assert 'Sweep: "pine=-1:1:1"' in text
    again = paint(PROMPT, "--sweep", "pine=-1:1:1")
    assert again.stdout == "a-pine-tree-and-a-red-sun-7-sweep-2.png\n"


def test_kept_pictures_equal_those_of_paint_and_of_the_sheet(paint: Run) -> None:
    result = paint(
        PROMPT, "-w", "tree=2", "--sweep", "pine=0:2:1", "--sweep", "red sun=1:2:1", "-o", "s.png",
        "--keep", "--batch-size", 1,  # the last bits of a painting may depend on its batch
    )  # fmt: skip
    names = [f"s_pine={i}_red-sun={j}.png" for j in (1, 2) for i in (0, 1, 2)]
    assert result.stdout.split() == [*names, "s.png"]
    paint(PROMPT, "-w", "tree=2", "-o", "plain.png")
    plain, kept, sheet = (Image.open(n).convert("RGB") for n in ("plain.png", names[1], "s.png"))
    assert plain.tobytes() == kept.tobytes()
    assert '"tree=2, pine=1, red sun=1"' in Image.open(names[1]).info["parameters"]
    # It is on the sheet once, in the second column.
    large = plain.resize((256, 256), Image.Resampling.NEAREST)
    spots = [
        (x, y)
        for x in range(sheet.width - 255)
        for y in range(0, 300)
        if sheet.getpixel((x, y)) == large.getpixel((0, 0))
        and not ImageChops.difference(sheet.crop((x, y, x + 256, y + 256)), large).getbbox()
    ]
    assert len(spots) == 1
    assert spots[0][0] > 256


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sweep", "elm=0:1:1"], "--sweep 'elm=0:1:1': 'elm' is not in the prompt. Its words"),
        (["--sweep", "pine=0:1:0"], "Invalid value for '--sweep': 'pine=0:1:0': the step must"),
        (["--sweep", "pine=0:1:1", "-w", "Pine=2"], "'Pine' is swept too: remove"),
        (["--sweep", "pine=0:1:1", "-w", "pine tree=2"], "both apply to token 2"),
        (["--sweep", "pine=0:1:1", "--sweep", "PINE=2:3:1"], "--sweep 'pine' is given more than"),
        (["--sweep", "a=0:1:1", "--sweep", "sun=0:1:1", "--sweep", "red=0:1:1"], "than twice"),
        (["--sweep", "pine=1:11:1", "--sweep", "sun=1:11:1"], "11 × 11 is more than 100"),
        (["--sweep", "pine=0:1:1", "-n", "2"], "--sweep paints from one seed"),
        (["--sweep", "pine=0:1:1", "--heatmap", "h.png"], "--heatmap shows one weight at a time"),
        (
            ["--sweep", "pine=0:1:1", "-o", "a.gif"],
            "--output a.gif: unsupported image format; use one of",
        ),
        (["--keep"], "--keep needs --sweep"),
    ],
)
def test_invalid_sweeps_are_refused(paint: Run, arguments: list[str], message: str) -> None:
    result = paint(PROMPT, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert list(Path().iterdir()) == []


def test_a_sweep_needs_a_single_prompt(paint: Run, tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("a pine\na tree")
    result = paint("--from-file", prompts, "--sweep", "pine=0:1:1")
    assert result.exit_code == 2
    assert "--sweep takes one prompt, not 2" in result.stderr


@pytest.mark.parametrize("name", ["s.png", "s_pine=1.png"])
def test_a_sweep_overwrites_only_if_told_to(paint: Run, name: str) -> None:
    Path(name).write_text("mine")
    command = (PROMPT, "--sweep", "pine=0:1:1", "--keep", "-o", "s.png")
    refused = paint(*command)
    assert refused.exit_code == 2
    assert f"{name} exists; --overwrite replaces it" in refused.stderr
    assert [path.name for path in Path().iterdir()] == [name]
    assert paint(*command, "--overwrite").exit_code == 0
    assert Image.open(name).format == "PNG"
