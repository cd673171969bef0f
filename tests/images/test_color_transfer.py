"""Colours are moved to those of one of the references; which one, the seed and the colours say."""

import re
from collections.abc import Callable
from pathlib import Path

import make_monet_palette
import numpy as np
import pytest
from click.testing import CliRunner, Result
from helpers import BUNDLED_PHOTOS, Tiny
from PIL import Image

from monetize.images.color_transfer import CANDIDATES, Colours, Palette
from monetize.images.image_sets import PictureSet
from monetize.images.palettes import MONET_TABLE, PaletteSource, read_table
from monetize.progress import Reporter

Run = Callable[..., Result]


def photo(name: str) -> Image.Image:
    """With half the contrast, so that nothing is cut at 0 and 255."""
    with Image.open(BUNDLED_PHOTOS / name) as image:
        small = image.convert("RGB").resize((64, 64))
    return Image.blend(small, Image.new("RGB", small.size, "grey"), 0.5)


def palette_of(*names: str, strength: float = 1.0) -> Palette:
    return Palette([Colours.of(photo(name)) for name in names], strength)


@pytest.fixture
def paintings(tmp_path: Path) -> Path:
    """Three flat-ish references: reddish, greenish, bluish."""
    folder = tmp_path / "paintings"
    folder.mkdir()
    random = np.random.default_rng(0)
    for channel, name in enumerate("rgb"):
        pixels = random.integers(60, 120, (32, 32, 3))
        pixels[..., channel] += 100
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{name}.png")
    return folder


def test_mean_and_covariance_become_the_references() -> None:
    ours, reference = photo("meadow.jpg"), photo("temple.jpg")
    moved = Colours.of(palette_of("temple.jpg").apply(ours, seed=0))
    wanted = Colours.of(reference)
    assert moved.mean == pytest.approx(wanted.mean, abs=1)
    assert moved.covariance == pytest.approx(wanted.covariance, rel=0.03)


def test_a_picture_that_has_the_colours_keeps_its_pixels() -> None:
    ours = photo("meadow.jpg")
    moved = palette_of("meadow.jpg").apply(ours, seed=0)
    assert np.abs(np.asarray(moved, int) - np.asarray(ours, int)).max() <= 1


def test_strength_goes_a_part_of_the_way() -> None:
    ours = photo("meadow.jpg")
    none, half, whole = (
        np.asarray(palette_of("sunset.jpg", strength=strength).apply(ours, 0), float).mean((0, 1))
        for strength in (0, 0.5, 1)
    )
    assert none == pytest.approx(np.asarray(ours, float).mean((0, 1)), abs=0.5)
    assert half == pytest.approx((none + whole) / 2, abs=4)


def test_the_distance_is_that_of_gaussians() -> None:
    one, other = Colours.of(photo("meadow.jpg")), Colours.of(photo("sunset.jpg"))
    assert one.distance(one) == pytest.approx(0, abs=1e-6)
    assert one.distance(other) == pytest.approx(other.distance(one))
    shifted = Colours(one.mean + np.array([3.0, 0, 4]), one.covariance)
    assert one.distance(shifted) == pytest.approx(25)


def test_the_transport_takes_one_covariance_to_the_other() -> None:
    one, other = Colours.of(photo("meadow.jpg")), Colours.of(photo("sunset.jpg"))
    matrix = one.transport(other)
    assert matrix == pytest.approx(matrix.T)
    assert matrix @ one.covariance @ matrix.T == pytest.approx(other.covariance, rel=1e-6)


def test_the_nearest_of_those_that_the_seed_draws_is_taken(paintings: Path) -> None:
    few = PaletteSource.of(str(paintings)).load(1.0, Reporter())
    reddish = Colours.of(Image.new("RGB", (8, 8), (200, 90, 90)))
    assert {few.choose(reddish, seed) for seed in range(20)} == {2}, "of b, g and r"
    many = Palette([*few.colours] * 30)
    assert len({many.choose(reddish, seed) for seed in range(20)}) > CANDIDATES
    assert many.choose(reddish, 7) == many.choose(reddish, 7)


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_a_picture_of_one_colour_takes_the_mean(colour: int, paintings: Path) -> None:
    palette = PaletteSource.of(str(paintings)).load(1.0, Reporter())
    plain = Image.new("RGB", (16, 16), (colour,) * 3)
    moved = np.asarray(palette.apply(plain, seed=1), float)
    wanted = palette.colours[palette.choose(Colours.of(plain), 1)].mean
    assert moved.mean((0, 1)) == pytest.approx(wanted, abs=1)


def test_run_moves_the_colours_of_every_painting(
    run_job: Run, photos: Path, paintings: Path, tmp_path: Path
) -> None:
    plain, moved = tmp_path / "plain.zip", tmp_path / "moved.zip"
    assert run_job(photos, plain).exit_code == 0
    result = run_job(photos, moved, "--palette", paintings)
    assert result.exit_code == 0, result.stderr
    palette = PaletteSource.of(str(paintings)).load(1.0, Reporter())
    references = np.array([colours.mean for colours in palette.colours])
    for before, after in zip(
        PictureSet.of(plain).images(), PictureSet.of(moved).images(), strict=True
    ):
        assert before.tobytes() != after.tobytes()
        mean = np.asarray(after, float).mean((0, 1))
        # JPEG and resizing cost a little.
        assert np.abs(references - mean).max(1).min() < 12


def test_a_job_does_not_go_on_with_other_paintings(
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


def test_a_job_does_not_go_on_with_or_without_monet(
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


def test_paint_moves_the_colours_and_says_so_in_the_file(
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


def test_references_that_cannot_be_read_are_named(cli: Run, tiny: Tiny, paintings: Path) -> None:
    (paintings / "broken.png").write_bytes(b"no picture")
    result = cli("paint", "a tree", "--model", tiny.painter, "--palette", paintings)
    assert result.exit_code == 1
    assert "broken.png" in result.stderr


@pytest.mark.parametrize("comparison", [("--sweep", "pine=0:1:1"), ("-w", "pine=0", "--heatmap")])
def test_pictures_to_compare_have_no_palettes_of_their_own(
    cli: Run, tiny: Tiny, paintings: Path, tmp_path: Path, comparison: tuple[str, ...]
) -> None:
    if "--heatmap" in comparison:
        comparison = (*comparison, str(tmp_path / "heat.png"))
    flags = ("--model", tiny.painter, "--palette", paintings)
    result = cli("paint", "a pine tree", *flags, *comparison)
    assert result.exit_code == 2
    assert "--palette may take another painting's colours" in result.stderr
    assert "--palette none" in result.stderr


def test_a_strength_without_a_palette_is_refused(cli: Run, tiny: Tiny) -> None:
    result = cli("paint", "a tree", "--model", tiny.painter, "--palette-strength", 0.5)
    assert result.exit_code == 2
    assert "--palette-strength is for --palette" in result.stderr


def test_the_table_keeps_colours(paintings: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    result = CliRunner().invoke(make_monet_palette.main, [str(paintings), "--output", str(table)])
    assert result.exit_code == 0, result.output
    measured = PaletteSource.of(str(paintings)).load(1.0, Reporter()).colours
    for read, colours in zip(read_table(table.read_text()), measured, strict=True):
        assert read.mean == pytest.approx(colours.mean, abs=0.006)
        assert read.covariance == pytest.approx(colours.covariance, abs=0.006)


def test_monets_colours_come_along() -> None:
    colours = read_table(MONET_TABLE.read_text())
    assert len(colours) == 880
    for each in colours:
        assert np.linalg.eigvalsh(each.covariance).min() > 0
        assert 0 <= each.mean.min() <= each.mean.max() <= 255


def test_monet_is_the_palette_that_comes_along_whatever_lies_here(
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


def test_a_palette_that_is_not_there_is_refused(cli: Run, tiny: Tiny) -> None:
    result = cli("paint", "a tree", "--model", tiny.painter, "--palette", "manet")
    assert result.exit_code == 2
    assert (
        "'--palette': there is no 'manet': give a folder or zip, or monet, or none" in result.stderr
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
