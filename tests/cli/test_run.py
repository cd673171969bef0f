"""`monetize run`: effects of its flags that no test of a job covers."""

import io
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline
from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
from helpers import Run, Tiny, members, rows
from PIL import Image
from transformers import CLIPConfig, CLIPImageProcessor


def test_what_the_safety_checker_flags_is_black_and_reported(
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


@pytest.mark.parametrize(
    ("name", "flags", "reported"),
    [
        ("images.zip", (), True),
        ("holidays.zip", (), False),
        ("holidays.zip", ("--config", "contest"), True),
        ("holidays.zip", ("--config", "report"), False),
    ],
)
def test_only_contestants_are_told_the_contests_number_of_images(
    run_job: Run, photos: Path, tmp_path: Path, name: str, flags: tuple[str, ...], reported: bool
) -> None:
    small = ("--size", 64, "--palette", "none", "--limit", 1)
    result = run_job(photos, tmp_path / name, *flags, *small)
    assert result.exit_code == 0, result.stderr
    assert ("The contest requires 7,000 to 10,000 images" in result.stderr) is reported


def test_a_command_says_at_once_that_it_is_loading(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    result = run_job(photos, tmp_path / "a.zip", "--limit", 1)
    assert result.stderr.splitlines()[:2] == [
        f"Photos: 1 in {photos}", "Loading the model libraries ...",
    ]  # fmt: skip
