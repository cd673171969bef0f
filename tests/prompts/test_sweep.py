"""Sweeps: the syntax, the grid, and `monetize paint --sweep`."""

from pathlib import Path
from typing import Any

import pytest
from helpers import Run, Tiny
from PIL import Image, ImageChops

from monetize.errors import UsageError
from monetize.images.encoding import encode
from monetize.prompts.sweep import Grid, Sweep, parse_sweep, steps_of
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
    assert isinstance(sweep, Sweep)
    assert (sweep.phrase, sweep.values) == (phrase, values)


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("seed=1:4", (1, 2, 3, 4)), (" seed = 7:7", (7,)), ("seed=0:99", tuple(range(100)))],
)
def test_two_numbers_are_seeds(text: str, seeds: tuple[int, ...]) -> None:
    assert steps_of(parse_sweep(text)) == seeds


def test_three_numbers_are_weights_of_the_word_seed() -> None:
    assert steps_of(parse_sweep("seed=1:2:1")) == (Weight("seed", 1), Weight("seed", 2))


def test_weights_of_a_sweep_are_formatted_without_rounding_errors() -> None:
    assert [str(weight) for weight in steps_of(parse_sweep("x=-0.2:0.2:0.1"))] == [
        "x=-0.2", "x=-0.1", "x=0", "x=0.1", "x=0.2",
    ]  # fmt: skip
    assert str(steps_of(parse_sweep("x=-0:0:1"))[0]) == "x=0"


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
    told = [[str(weight) for weight in prompt.weights] for prompt, _ in grid.pictures]
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


def test_seeds_are_swept_along_either_side() -> None:
    seeds, pine = parse_sweep("seed=3:4"), parse_sweep("pine=0:2:2")
    grid = Grid(PROMPT, (), (pine, seeds), seed=9)
    made = [(prompt.weights[0].value, seed) for prompt, seed in grid.pictures]
    assert made == [(0, 3), (2, 3), (0, 4), (2, 4)]
    assert [seed for _, seed in Grid(PROMPT, (), (seeds, pine)).pictures] == [3, 4, 3, 4]
    assert [seed for _, seed in Grid(PROMPT, (), (pine,), seed=9).pictures] == [9, 9]
    assert grid.picture_paths(Path("a.png"))[0] == Path("a_pine=0_seed=3.png")


def test_names_of_kept_pictures_are_valid_file_names() -> None:
    sweep = Sweep("a/b c: d" * 9, (0.5,), "")
    [path] = Grid(PROMPT, (), (sweep,)).picture_paths(Path("here/a.png"))
    assert path == Path("here/a_a-b-c-da-b-c-da-b-c-=0.5.png")


@pytest.fixture
def paint(cli: Run, tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `monetize paint` with the tiny painter in a folder of its own, by default from seed 7."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run(*args: object) -> object:
        seed = () if any(str(arg).startswith("seed=") for arg in args) else ("--seed", 7)
        return cli("paint", *args, "--model", tiny.painter, "--steps", 2, *seed)

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
        (
            ["--sweep", "pine=0:1:1", "--heatmap", "s.png", "-o", "s_pine=0.png"],
            "--output and --heatmap would both write s_pine=0.png",
        ),
        (["--sweep", "seed=2:1"], "the last seed is before the first: use seed=1:2"),
        (["--sweep", "seed=1:101"], "more than 100 pictures: use fewer seeds"),
        (["--sweep", "seed=1:2", "--sweep", "seed=3:4"], "--sweep seed is given more than once"),
        (["--sweep", "seed=0:10", "--sweep", "pine=1:10:1"], "11 × 10 is more than 100"),
        (["--sweep", "seed=18446744073709551615:18446744073709551616"], "seeds would be above"),
        (["--sweep", "seed=1:2", "-n", "2"], "use --sweep seed=START:STOP instead of --number"),
        (["--sweep", "seed=1:2:1"], "'seed' is not in the prompt"),
        (["--sweep", "seed=1:3:0.5"], "seed takes START:STOP, such as seed=1:4; with a step"),
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


def test_seeds_make_a_sheet_of_the_paintings_of_each(paint: Run, cli: Run, tiny: Tiny) -> None:
    result = paint(PROMPT, "--sweep", "seed=7:9", "--keep", "--batch-size", 1, "--palette", "monet")
    assert result.exit_code == 0, result.stderr
    assert "Seed: 7 to 9\n" in result.stderr
    stem = "a-pine-tree-and-a-red-sun-7-sweep"
    names = [f"{stem}_seed={seed}.png" for seed in (7, 8, 9)]
    assert result.stdout.split() == [*names, f"{stem}.png"]
    assert 'Sweep: "seed=7:9"' in Image.open(f"{stem}.png").info["parameters"]
    for seed in (7, 9):
        flags = ("--model", tiny.painter, "--steps", 2, "--palette", "monet", "--seed", seed)
        cli("paint", PROMPT, *flags, "-o", f"{seed}.png")
        assert Path(f"{stem}_seed={seed}.png").read_bytes() == Path(f"{seed}.png").read_bytes()


def test_weights_and_seeds_make_a_grid(paint: Run) -> None:
    result = paint(
        PROMPT, "--sweep", "pine=-9:1:10", "--sweep", "seed=7:8", "-o", "s.png", "--keep",
        "--batch-size", 1,
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    paint(PROMPT, "-w", "pine=-9", "-o", "alone.png")
    assert Path("s_pine=-9_seed=7.png").read_bytes() == Path("alone.png").read_bytes()
    assert len({path.read_bytes() for path in Path().glob("s_*.png")}) == 4


def test_swept_seeds_exclude_another(cli: Run, tiny: Tiny) -> None:
    refused = cli("paint", PROMPT, "--sweep", "seed=1:2", "--seed", 7)
    assert refused.exit_code == 2
    assert "--sweep seed=1:2 has the seeds: leave out --seed" in refused.stderr


def test_swept_seeds_override_that_of_a_repeated_painting(paint: Run, cli: Run) -> None:
    paint(PROMPT, "-o", "a.png")
    result = cli("paint", "--like", "a.png", "--sweep", "seed=1:2", "-o", "s.png")
    assert result.exit_code == 0, result.stderr
    assert "Seed: 1," in Image.open("s.png").info["parameters"]


def test_a_sweep_has_a_heat_map_for_each_picture(paint: Run) -> None:
    sweep = (PROMPT, "--sweep", "pine=-1:1:1", "--batch-size", 1)
    result = paint(*sweep, "--keep", "-o", "s.png", "--heatmap", "heat.png")
    assert result.exit_code == 0, result.stderr
    names = [f"{kind}_pine={i}.png" for i in (-1, 0, 1) for kind in ("s", "heat")]
    assert result.stdout.split() == [*names, "s.png"]
    assert "Painting: 4 paintings" in result.stderr, "the unweighted one is painted once"
    paint(PROMPT, "-w", "pine=-1", "-o", "alone.png", "--heatmap", "where.png")
    assert Path("s_pine=-1.png").read_bytes() == Path("alone.png").read_bytes()
    assert Path("heat_pine=-1.png").read_bytes() == Path("where.png").read_bytes()
    seeds = paint(PROMPT, "--sweep", "seed=7:8", "-o", "t.png", "--heatmap", "where.jpg")
    assert seeds.stdout.split() == ["where_seed=7.jpg", "where_seed=8.jpg", "t.png"]
    assert "Painting: 2 paintings" in seeds.stderr


def test_a_sheet_whose_name_is_taken_while_it_is_painted_is_kept_under_another(
    paint: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = ("s.png", "s_pine=0.png", "s-2.png")

    def late(*args: Any, **options: Any) -> bytes:
        for name in taken:
            Path(name).write_text("mine")
        return encode(*args, **options)

    command = (PROMPT, "--sweep", "pine=0:1:1", "--keep", "-o", "s.png")
    with monkeypatch.context() as patch:
        patch.setattr("monetize.cli.paint_writing.encode", late)
        refused = paint(*command)
    assert refused.exit_code == 2
    assert refused.stdout.split() == ["s_pine=0-2.png", "s_pine=1.png", "s-3.png"]
    assert (
        "Error: s_pine=0.png was created while this ran; --overwrite replaces it. The picture is "
        "in s_pine=0-2.png\n"
        "s.png was created while this ran; --overwrite replaces it. The picture is in s-3.png\n"
    ) in refused.stderr
    assert {Path(name).read_text() for name in taken} == {"mine"}
    kept = Path("s-3.png").read_bytes()
    paint(*command, "--overwrite")
    assert Path("s.png").read_bytes() == kept
