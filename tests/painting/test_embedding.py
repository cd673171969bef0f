"""Painting with a textual inversion: its token acts as a word does."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from helpers import Listener, Run, Tiny, denoise
from safetensors.torch import save_file

from monetize.adapters import Embedding
from monetize.job.outputs import Outputs
from monetize.job.report_reader import read_results
from monetize.painting.painter import Painter
from monetize.painting.spec import PainterSpec
from monetize.prompts.prompt import Prompt
from monetize.prompts.weights import Weight
from monetize.settings import DeviceSettings, PaintSettings

Load = Callable[..., Painter]
TEXT = "a lake, monet-style"


@pytest.fixture
def embedding(tmp_path: Path) -> Path:
    file = tmp_path / "monet-style.safetensors"
    vectors = torch.randn(2, 32, generator=torch.Generator().manual_seed(0))
    save_file({"emb_params": vectors}, file)
    return file


def test_its_token_changes_only_prompts_that_have_it(painter_with: Load, embedding: Path) -> None:
    painter, plain = painter_with(embedding=str(embedding)), painter_with()
    other = [Prompt("a lake")]
    assert torch.equal(denoise(painter, other, [1]), denoise(plain, other, [1]))
    with_token = denoise(painter, [Prompt(TEXT)], [1])
    assert not torch.allclose(with_token, denoise(plain, [Prompt(TEXT)], [1]), atol=1e-3)
    negative = painter_with(embedding=str(embedding), negative_prompt="monet-style")
    assert not torch.allclose(denoise(negative, other, [1]), denoise(plain, other, [1]), atol=1e-3)


def test_its_token_can_be_weighted_and_has_a_heat_map(painter_with: Load, embedding: Path) -> None:
    painter = painter_with(embedding=str(embedding))
    plain, one, weighted = (
        denoise(painter, [Prompt(TEXT, weights)], [1])
        for weights in ((), (Weight("monet-style", 1),), (Weight("monet-style", -2),))
    )
    assert torch.equal(one, plain)
    assert not torch.allclose(weighted, plain, atol=1e-3)
    request = painter.request(Prompt(TEXT), 1)
    [recorded] = painter.start([request], heat=True).result()
    assert recorded.heat is not None
    assert recorded.heat[4:6].abs().sum() > 0, "both vectors"


def test_a_heat_map_and_the_same_painting_again(
    cli: Run, tiny: Tiny, embedding: Path, tmp_path: Path
) -> None:
    options = ["--seed", 1, "--steps", 2, "--model", tiny.painter, "--embedding", embedding]
    first, again, sheet = (tmp_path / name for name in ("first.png", "again.png", "sheet.png"))
    result = cli("paint", TEXT, *options, "--heatmap", sheet, "-o", first)
    assert result.exit_code == 0, result.stderr
    assert sheet.exists()
    assert f"Embedding: {embedding}" in cli("info", first).stdout
    assert cli("paint", "--like", first, "-o", again).exit_code == 0
    assert first.read_bytes() == again.read_bytes()
    tokens = cli("tokens", TEXT, "--model", tiny.painter, "--embedding", embedding)
    assert "@5  monet-style[2]" in tokens.stdout


def test_its_token_is_not_a_word_that_the_model_does_not_know(
    tiny_copy: Tiny, embedding: Path
) -> None:
    (tiny_copy.painter / "known_words.txt").write_text("a\nlake\n")
    settings = PaintSettings(str(tiny_copy.painter), embedding=(Embedding(str(embedding)),))
    listener = Listener()
    spec = PainterSpec.resolve(settings, DeviceSettings(device="cpu"), listener)
    spec.warn_about_words([TEXT, "a Monet-Style lake"], listener)
    assert listener.warnings == []
    spec.warn_about_words(["a boat"], listener)
    assert "does not know 'boat'" in listener.warnings[0]


def test_a_token_that_no_prompt_contains_is_warned_about_once(
    cli: Run, run_job: Run, tiny: Tiny, embedding: Path, photos: Path, tmp_path: Path
) -> None:
    warning = f"Warning: --embedding {embedding}: no prompt contains its token 'monet-style', so"
    options = ["--model", tiny.painter, "--embedding", embedding, "--steps", 2]
    prompts = tmp_path / "prompts.txt"
    for number, (text, warned) in enumerate(
        ((TEXT, 0), ("a boat, monet-styles", 1), ("a boat in MONET-style", 0))
    ):
        prompts.write_text(f"a lake\n{text}\n")
        out = tmp_path / f"{number}.png"
        result = cli("paint", "--from-file", prompts, *options, "-o", out)
        assert result.stderr.count(warning) == warned, result.stderr
    assert " + monet-style.safetensors as 'monet-style' on cpu" in result.stderr
    edit = ("--edit", TEXT, "-o", tmp_path / "edit.png")
    negative = ("--negative-prompt", "monet-style", "-o", tmp_path / "negative.png")
    for unwarned in (edit, negative):
        result = cli("paint", "a boat", *options, *unwarned)
        assert result.exit_code == 0, result.stderr
        assert warning not in result.stderr
    result = run_job(photos, tmp_path / "a.zip", "--limit", 2, "--embedding", embedding)
    assert result.stderr.count(warning) == 1, result.stderr


def test_a_job_reports_its_embeddings_and_depends_on_them(
    run_job: Run, embedding: Path, photos: Path, tmp_path: Path
) -> None:
    digests = []
    for name, token in (("one.zip", "monet-style"), ("other.zip", "style-of-monet")):
        out = Outputs(tmp_path / name)
        given = f"{embedding}={token}"
        result = run_job(photos, out.out, "--limit", 1, "--embedding", given, "--style", token)
        assert result.exit_code == 0, result.stderr
        results = read_results(out)
        options = results.paint_options
        assert options is not None and options[options.index("--embedding") + 1] == given
        digests.append(results.summary.painter_digest)
        [described] = json.loads(out.summary.read_text())["embeddings"]
        assert (described["name"], described["token"]) == (str(embedding), token)
    assert digests[0] != digests[1]
