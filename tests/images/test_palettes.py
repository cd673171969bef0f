"""Where a palette comes from, and what it does to the paintings of `run` and `paint`."""

import re
from pathlib import Path

import make_monet_palette
import numpy as np
import pytest
from click.testing import CliRunner
from helpers import Run, Tiny
from PIL import Image

from monetize.images.color_transfer import Palette
from monetize.images.image_sets import ImageSet
from monetize.images.palettes import MONET_TABLE, PaletteSource, read_table
from monetize.progress import Reporter


def test_run_moves_the_colors_of_every_painting(
    run_job: Run, photos: Path, paintings: Path, tmp_path: Path
) -> None:
    plain, moved = tmp_path / "plain.zip", tmp_path / "moved.zip"
    assert run_job(photos, plain).exit_code == 0
    result = run_job(photos, moved, "--palette", paintings)
    assert result.exit_code == 0, result.stderr
    palette = PaletteSource.of(str(paintings)).load(1.0, Reporter())
    references = np.array([colors.mean for colors in palette.references])
    for before, after in zip(ImageSet.of(plain).images(), ImageSet.of(moved).images(), strict=True):
        assert before.tobytes() != after.tobytes()
        mean = np.asarray(after, float).mean((0, 1))
        # JPEG and resizing cost a little.
        assert np.abs(references - mean).max(1).min() < 12


def test_a_job_does_not_resume_with_other_paintings(
    run_job: Run, photos: Path, paintings: Path, tmp_path: Path
) -> None:
    out = tmp_path / "images.zip"
    (photos / "broken.jpg").write_bytes(b"")
    assert run_job(photos, out, "--palette", paintings).exit_code == 3
    (paintings / "r.png").unlink()
    out.unlink()
    result = run_job(photos, out, "--palette", paintings)
    assert result.exit_code == 2
    assert "--palette: " in result.stderr


def test_a_job_does_not_resume_with_or_without_monet(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "images.zip"
    (photos / "broken.jpg").write_bytes(b"")
    assert run_job(photos, out, "--palette", "monet").exit_code == 3
    out.unlink()
    result = run_job(photos, out)
    assert result.exit_code == 2
    assert re.search("--palette: monet [0-9a-f]{12} then, none now", result.stderr)
    again = run_job(photos, out, "--palette", "monet")
    assert again.exit_code == 3
    assert "Painting" not in again.stderr


def test_paint_moves_the_colors_and_records_it_in_the_file(
    cli: Run, tiny: Tiny, paintings: Path, tmp_path: Path
) -> None:
    common = ("paint", "a pine tree", "--seed", 1, "--steps", 2, "--model", tiny.painter)
    palette = PaletteSource.of(str(paintings)).load(1.0, Reporter())
    assert cli(*common, "-o", tmp_path / "plain.png").exit_code == 0
    assert cli(*common, "-o", tmp_path / "moved.png", "--palette", paintings).exit_code == 0
    with (
        Image.open(tmp_path / "plain.png") as plain,
        Image.open(tmp_path / "moved.png") as moved,
    ):
        assert moved.tobytes() == palette.apply(plain.convert("RGB"), seed=1).tobytes()
        assert "Palette: paintings, Palette strength: 1.0" in moved.info["parameters"]


def test_unreadable_references_are_named(cli: Run, tiny: Tiny, paintings: Path) -> None:
    (paintings / "broken.png").write_bytes(b"no picture")
    result = cli("paint", "a tree", "--model", tiny.painter, "--palette", paintings)
    assert result.exit_code == 1
    assert "broken.png" in result.stderr


@pytest.mark.parametrize("comparison", [("--sweep", "pine=0:1:1"), ("-w", "pine=0", "--heatmap")])
def test_images_to_compare_cannot_have_different_palettes(
    cli: Run, tiny: Tiny, paintings: Path, tmp_path: Path, comparison: tuple[str, ...]
) -> None:
    if "--heatmap" in comparison:
        comparison = (*comparison, str(tmp_path / "heat.png"))
    flags = ("--model", tiny.painter, "--palette", paintings)
    result = cli("paint", "a pine tree", *flags, *comparison)
    assert result.exit_code == 2
    assert "--palette may give each picture the colors" in result.stderr
    assert "--palette none" in result.stderr


def test_a_strength_without_a_palette_is_refused(cli: Run, tiny: Tiny) -> None:
    result = cli("paint", "a tree", "--model", tiny.painter, "--palette-strength", 0.5)
    assert result.exit_code == 2
    assert "--palette-strength needs --palette" in result.stderr


def test_the_table_keeps_the_statistics(paintings: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    result = CliRunner().invoke(make_monet_palette.main, [str(paintings), "--output", str(table)])
    assert result.exit_code == 0, result.output
    measured = PaletteSource.of(str(paintings)).load(1.0, Reporter()).references
    for read, colors in zip(read_table(table.read_text()), measured, strict=True):
        assert read.mean == pytest.approx(colors.mean, abs=0.006)
        assert read.covariance == pytest.approx(colors.covariance, abs=0.006)


def test_monets_colors_are_bundled() -> None:
    colors = read_table(MONET_TABLE.read_text())
    assert len(colors) == 880
    for each in colors:
        assert np.linalg.eigvalsh(each.covariance).min() > 0
        assert 0 <= each.mean.min() <= each.mean.max() <= 255


def test_monet_is_the_bundled_palette_even_beside_a_folder_of_that_name(
    cli: Run, tiny: Tiny, paintings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paintings.rename(tmp_path / "monet")
    monkeypatch.chdir(tmp_path)
    common = ("paint", "a pine tree", "--seed", 1, "--steps", 2, "--model", tiny.painter)
    assert cli(*common, "-o", "plain.png").exit_code == 0
    assert cli(*common, "-o", "moved.png", "--palette", "monet").exit_code == 0
    assert cli(*common, "-o", "theirs.png", "--palette", "./monet").exit_code == 0
    palette = Palette(read_table(MONET_TABLE.read_text()))
    with Image.open("plain.png") as plain, Image.open("moved.png") as moved:
        assert moved.tobytes() == palette.apply(plain.convert("RGB"), seed=1).tobytes()
        assert "Palette: monet" in moved.info["parameters"]
        with Image.open("theirs.png") as theirs:
            assert theirs.tobytes() != moved.tobytes()


def test_a_missing_palette_is_refused(cli: Run, tiny: Tiny) -> None:
    result = cli("paint", "a tree", "--model", tiny.painter, "--palette", "manet")
    assert result.exit_code == 2
    assert (
        "'--palette': 'manet' does not exist: give a folder or zip, monet, or none" in result.stderr
    )


def test_none_turns_a_presets_palette_off(cli: Run, tiny: Tiny, tmp_path: Path) -> None:
    preset = tmp_path / "preset.toml"
    preset.write_text('[paint]\npalette = "monet"\npalette_strength = 0.5\n')
    common = ("paint", "a tree", "--seed", 1, "--steps", 2, "--model", tiny.painter)
    for name, flags in (
        ("plain", ()),
        ("none", ("--config", preset, "--palette", "none")),
        ("monet", ("--config", preset)),
    ):
        assert cli(*common, *flags, "-o", tmp_path / f"{name}.png").exit_code == 0
    plain, none, monet = (
        (tmp_path / f"{name}.png").read_bytes() for name in ("plain", "none", "monet")
    )
    assert plain == none != monet
