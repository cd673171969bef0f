"""`--prompt-syntax` in `paint`, `run` and `tokens`: what is painted, and how it comes back."""

import json
from pathlib import Path

import pytest
from helpers import Run, Tiny, rows
from PIL import Image

from monetize.images.infotext import read_infotext
from monetize.job.outputs import Outputs
from monetize.job.report_reader import read_results

HINT = "--prompt-syntax a1111 turns it into one"


@pytest.fixture
def paint(cli: Run, tiny: Tiny) -> Run:
    common = ("--model", tiny.painter, "--steps", 2, "--seed", 7, "--size", 64)

    def run(*args: object) -> object:
        result = cli("paint", *args, *common)
        assert result.exit_code == 0, result.stderr
        return result

    return run  # type: ignore[return-value]


def pixels(path: Path) -> bytes:
    return Image.open(path).tobytes()


def test_a_bracket_paints_what_a_weight_does(paint: Run, tmp_path: Path) -> None:
    plain, weighted, marked, signs = (tmp_path / f"{name}.png" for name in "abcd")
    paint("a pine tree", "-o", plain)
    paint("a pine tree", "-w", "pine=-3.5", "-o", weighted)
    paint("a (pine:-3.5) tree", "--prompt-syntax", "a1111", "-o", marked)
    paint("a (pine)-3.5 tree", "--prompt-syntax", "compel", "-o", signs)
    assert pixels(weighted) != pixels(plain)
    assert pixels(marked) == pixels(weighted) == pixels(signs)


@pytest.mark.parametrize(
    ("prompt", "syntax"), [(r"a (pine:1.2) \(x\)", "a1111"), (r"a pine++ \(x\)", "compel")]
)
def test_a_painting_is_repeated_in_its_syntax(
    paint: Run, tmp_path: Path, prompt: str, syntax: str
) -> None:
    first, again = tmp_path / "a.png", tmp_path / "b.jpg"
    negative = ("--negative-prompt", "(people:1.4)")
    result = paint(prompt, *negative, "-w", "x=2", "--prompt-syntax", syntax, "-o", first)
    if syntax == "a1111":
        assert 'without its weights ("people" × 1.4): weights act on the prompt' in result.stderr
    infotext = read_infotext(first)
    assert infotext.prompt == prompt
    assert infotext.negative_prompt == "(people:1.4)"
    assert infotext.settings["Prompt syntax"] == syntax
    repeated = paint("--like", first, "-o", again)
    assert HINT not in repeated.stderr
    assert read_infotext(again) == infotext
    paint("--like", first, "-o", tmp_path / "c.png")
    assert pixels(tmp_path / "c.png") == pixels(first)


def test_a_hint_is_given_once_and_only_if_no_syntax_is(paint: Run, tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("a (pine:1.2) tree\na ((red)) sun\n")
    plain = paint("--from-file", prompts, "-o", tmp_path / "a.png")
    assert plain.stderr.count(HINT) == 1
    asked = paint("--from-file", prompts, "-o", tmp_path / "b.png", "--prompt-syntax", "a1111")
    assert HINT not in asked.stderr


def test_sweeps_edits_and_heat_maps_take_weights_from_the_prompt(
    paint: Run, tmp_path: Path
) -> None:
    syntax = ("--prompt-syntax", "a1111")
    paint("a (pine:2) tree", "--heatmap", tmp_path / "heat.png", "-o", tmp_path / "a.png", *syntax)
    paint("a (pine:2) tree", "--sweep", "tree=0:1:1", "--keep", "-o", tmp_path / "s.png", *syntax)
    paint("a pine tree", "-w", "pine=2", "-w", "tree=0", "-o", tmp_path / "w.png")
    assert pixels(tmp_path / "s_tree=0.png") == pixels(tmp_path / "w.png")
    paint(r"a (pine:-3) \(x\) tree", "--keep-layout", "0.4", "-o", tmp_path / "e.png", *syntax)
    base = read_infotext(tmp_path / "e-base.png")
    assert base.prompt == r"a pine \(x\) tree"
    assert pixels(tmp_path / "e-base.png") != pixels(tmp_path / "e.png")


def test_a_mistake_in_the_syntax_is_said_before_any_work(cli: Run, tiny: Tiny) -> None:
    result = cli("paint", "a [b:c:0.5]", "--prompt-syntax", "a1111", "--model", tiny.painter)
    assert result.exit_code == 2
    assert "[b:c:0.5] in the prompt is not supported" in result.stderr
    assert "Loading" not in result.stderr


def test_tokens_shows_the_weights_of_a_prompt(cli: Run, tiny: Tiny) -> None:
    command = ("tokens", "a ((pine)) tree", "--model", tiny.painter, "-w", "tree=2")
    shown = json.loads(cli(*command, "--json", "--prompt-syntax", "a1111").stdout)
    assert {each["text"]: each["weight"] for each in shown if each["weight"] != 1} == {
        "pine</w>": 1.21, "tree</w>": 2,
    }  # fmt: skip
    assert HINT in cli(*command).stderr


def test_a_job_takes_weights_from_captions_and_styles(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    for i in range(2):
        (photos / f"photo{i}.txt").write_text("a (pine:2) tree")
    command = (photos, tmp_path / "a.zip", "--captions", photos, "--limit", 2)
    style = ("--style", "[in fog]", "--prompt-syntax", "a1111")
    assert run_job(*command, *style).exit_code == 0
    assert [row["prompt"] for row in rows(tmp_path / "a.csv")] == ["a (pine:2) tree [in fog]"] * 2
    summary = json.loads((tmp_path / "a.json").read_text())
    assert summary["settings"]["paint"]["prompt_syntax"] == "a1111"
    options = read_results(Outputs(tmp_path / "a.zip")).paint_options
    assert options is not None
    assert "--prompt-syntax a1111" in " ".join(options)
    updated = run_job(*command, *style, "--update")
    assert updated.exit_code == 0, updated.stderr
    assert "Painting:" not in updated.stderr
    (photos / "photo1.txt").write_text("a (pine:3) tree")
    changed = run_job(*command, *style, "--update")
    assert "2 paintings, 1 of them already done" in changed.stderr


def test_a_jobs_prompt_with_a_mistake_is_named(run_job: Run, photos: Path, tmp_path: Path) -> None:
    (photos / "photo0.txt").write_text("a BREAK")
    command = (photos, tmp_path / "a.zip", "--captions", photos, "--limit", 1)
    refused = run_job(*command, "--prompt-syntax", "a1111")
    assert refused.exit_code == 2
    assert "the prompt of photo0.jpg: BREAK in the prompt is not supported" in refused.stderr
    (photos / "photo0.txt").write_text("a ((pine))")
    hinted = run_job(*command)
    assert hinted.exit_code == 0
    assert hinted.stderr.count(HINT) == 1
