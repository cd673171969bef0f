"""Paintings by monetize are distinguished from photos by the metadata in their files."""

import os
from pathlib import Path

import pytest
from helpers import BUNDLED_PHOTOS, Run
from PIL import Image

from monetize.images.encoding import encode
from monetize.images.own_paintings import pass_over_paintings
from monetize.images.photos import Found, Photo, find

OURS = "a lake\nSteps: 4, Seed: 3, Version: monetize 0.1.0"
OTHERS = "a lake\nSteps: 4, Seed: 3, Version: v1.9"


def save(path: Path, text: str) -> Path:
    path.write_bytes(encode(Image.new("RGB", (8, 8)), path, text))
    return path


def is_own_painting(path: Path) -> bool:
    return not pass_over_paintings(Found((Photo("a", path),), {}, ())).photos


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "A.JPEG"])
@pytest.mark.parametrize("prompt", ["a lake", "un étang 木 " * 999])
def test_a_painting_is_recognized_by_its_text(tmp_path: Path, name: str, prompt: str) -> None:
    path = save(tmp_path / name, OURS.replace("a lake", prompt))
    assert is_own_painting(path)


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_other_images_are_not(tmp_path: Path, name: str) -> None:
    assert not is_own_painting(save(tmp_path / name, OTHERS))
    Image.new("RGB", (8, 8)).save(tmp_path / f"plain-{name}")
    assert not is_own_painting(tmp_path / f"plain-{name}")
    (tmp_path / f"damaged-{name}").write_bytes((tmp_path / name).read_bytes()[:60])
    assert not is_own_painting(tmp_path / f"damaged-{name}")
    assert not is_own_painting(tmp_path / "missing.png")


def test_a_pipe_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link.png").symlink_to(tmp_path / "pipe")
    assert not is_own_painting(tmp_path / "link.png")


def test_bundled_photos_are_not_taken_for_paintings() -> None:
    assert not any(map(is_own_painting, BUNDLED_PHOTOS.iterdir()))


def test_paintings_among_the_photos_are_passed_over(
    cli: Run, run_job: Run, photos: Path, tmp_path: Path, tiny: object
) -> None:
    model = ("--model", tiny.painter, "--steps", 1)  # type: ignore[attr-defined]
    for name in ("lake.png", "lake.jpg"):
        assert cli("paint", "a lake", *model, "-o", photos / name).exit_code == 0
    result = run_job(photos, tmp_path / "images.zip")
    assert "Photos: 6 in " in result.stderr
    assert "(passed over: 2 monetize paintings)" in result.stderr
    assert len(find(photos).photos) == 8, "every image, as for a score"


def test_a_folder_of_paintings_only_is_explained(run_job: Run, tmp_path: Path) -> None:
    (tmp_path / "paintings").mkdir()
    save(tmp_path / "paintings" / "a.png", OURS)
    result = run_job(tmp_path / "paintings", tmp_path / "images.zip")
    assert result.exit_code == 1
    assert "no photos in this folder (passed over: 1 monetize painting)" in result.stderr


def test_the_paintings_of_a_job_are_photos_if_their_folder_is_the_one_that_was_named(
    tmp_path: Path,
) -> None:
    save(tmp_path / "paintings.jpg", OURS)
    (tmp_path / "monetize.json").write_text("{}")
    assert len(pass_over_paintings(find(tmp_path)).photos) == 1
