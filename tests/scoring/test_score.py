"""`monetize score` from files to figures, with a small network in place of Inception-2015."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import Result
from helpers import Run, nobody, open_to_others
from PIL import Image
from tiny_inception import make_tiny_inception

from monetize.images.image_sets import ImageSet
from monetize.scoring.inception import Inception
from monetize.scoring.metrics import frechet_distance, memorization_informed, nearest_distances

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("inception") / "network.pt"
    make_tiny_inception(file)
    return file


def draw(folder: Path, number: int, seed: int, brightness: float = 0) -> Path:
    folder.mkdir()
    random = np.random.default_rng(seed)
    for i in range(number):
        pixels = random.integers(0, 256, (8, 8, 3)) * 0.6 + brightness
        image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).resize((64, 64))
        image.save(folder / f"{i:03}.png")
    return folder


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    return draw(tmp_path / "ours", 12, seed=1, brightness=60)


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    return draw(tmp_path / "theirs", 15, seed=2)


@pytest.fixture
def score(cli: Run, network: Path) -> Run:
    def run(*args: object) -> Result:
        flags = ("--inception", network, "--trust-inception", "--device", "cpu")
        return cli("score", *args, *flags)

    return run


def features(network: Path, source: Path) -> np.ndarray:
    inception = Inception.load(network, CPU, trust=True)
    return np.concatenate(list(inception.features(ImageSet.of(source).images())))


def test_the_figures_are_those_of_the_features(
    score: Run, ours: Path, theirs: Path, network: Path
) -> None:
    result = score(ours, "--reference", theirs, "--json")
    assert result.exit_code == 0, result.stderr
    figures = json.loads(result.stdout)
    one, other = features(network, ours), features(network, theirs)
    fid = frechet_distance(one, other)
    distance = nearest_distances(one, other).mean()
    assert figures["fid"]["value"] == pytest.approx(fid)
    assert figures["distance"] == pytest.approx(distance)
    assert figures["mifid"]["value"] == pytest.approx(memorization_informed(fid, distance))
    assert (figures["images"], figures["references"], figures["training"]) == (12, 15, 15)


def test_a_zip_scores_as_its_folder(score: Run, ours: Path, theirs: Path, tmp_path: Path) -> None:
    archive = tmp_path / "images.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in ours.iterdir():
            file.write(path, path.name)
    zipped, folder = (
        json.loads(score(source, "--reference", theirs, "--json").stdout)
        for source in (archive, ours)
    )
    assert zipped == folder


def test_copies_are_detected_by_the_memorization_reference(
    score: Run, ours: Path, theirs: Path
) -> None:
    def read(*args: object) -> dict[str, float]:
        figures: dict[str, float] = json.loads(score(*args, "--json").stdout)
        return figures

    copied = read(ours, "--reference", theirs, "--memorization-reference", ours)
    own = read(ours, "--reference", theirs)
    assert copied["distance"] == pytest.approx(0, abs=1e-6) != own["distance"]
    assert copied["fid"] == own["fid"]


def test_small_sets_get_a_warning(score: Run, ours: Path, theirs: Path) -> None:
    result = score(ours, "--reference", theirs)
    assert "FID and MiFID come out too high" in result.stderr
    assert "KID x 1000" in result.stdout


def test_features_of_the_reference_are_cached(
    score: Run, ours: Path, theirs: Path, cache: Path
) -> None:
    assert score(ours, "--reference", theirs, "--no-cache").exit_code == 0
    assert not cache.exists()
    first = score(ours, "--reference", theirs)
    again = score(ours, "--reference", theirs)
    assert "Features of theirs: 15 images" in first.stderr
    assert "from " in again.stderr and "Features of theirs: 15" not in again.stderr
    assert again.stdout.splitlines()[1] == first.stdout.splitlines()[1]
    (theirs / "000.png").unlink()
    assert "Features of theirs: 14 images" in score(ours, "--reference", theirs).stderr


@pytest.mark.parametrize("damage", [b"", b"not an image"])
def test_an_unreadable_image_is_named(score: Run, ours: Path, theirs: Path, damage: bytes) -> None:
    (ours / "003.png").write_bytes(damage)
    result = score(ours, "--reference", theirs)
    assert result.exit_code == 1
    assert "003.png in " in result.stderr


@pytest.mark.parametrize("damage", ["cut", "emptied", "of another shape"])
def test_damaged_features_are_recomputed(
    score: Run, ours: Path, theirs: Path, cache: Path, damage: str
) -> None:
    first = score(ours, "--reference", theirs)
    [file] = (cache / "monetize" / "features").iterdir()
    whole = file.read_bytes()
    if damage == "of another shape":
        np.save(file, np.zeros((3, 4)))
    else:
        file.write_bytes(whole[:1000] if damage == "cut" else b"")
    again = score(ours, "--reference", theirs)
    assert (again.exit_code, again.stdout) == (0, first.stdout)
    assert file.read_bytes() == whole


def test_an_unwritable_cache_is_reported_before_the_work_which_continues(
    score: Run, ours: Path, theirs: Path, cache: Path
) -> None:
    cache.write_text("a file")
    result = score(ours, "--reference", theirs)
    assert result.exit_code == 0, result.stderr
    warning = result.stderr.index(f"Warning: features are not cached: {cache}")
    assert warning < result.stderr.index("Features of theirs")


def test_a_read_only_cache_is_read_but_not_written(
    score: Run, ours: Path, theirs: Path, network: Path, tmp_path: Path
) -> None:
    first = score(ours, "--reference", theirs)
    open_to_others(tmp_path)
    open_to_others(network.parent)
    with nobody():
        cached = score(ours, "--reference", theirs)
        other = score(theirs, "--reference", ours)
    assert (cached.exit_code, cached.stdout) == (0, first.stdout)
    assert "not cached" not in cached.stderr
    assert other.exit_code == 0, other.stderr
    assert "Warning: features are not cached: " in other.stderr


def test_without_a_home_folder_there_is_no_cache(
    score: Run, ours: Path, theirs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    result = score(ours, "--reference", theirs)
    assert result.exit_code == 0, result.stderr
    assert "Warning: features are not cached: there is no home folder" in result.stderr


def test_a_set_has_no_distance_from_itself(score: Run, theirs: Path) -> None:
    result = score(theirs, "--reference", theirs)
    assert result.exit_code == 0, result.stderr
    mifid, fid, _, distance, *_ = result.stdout.splitlines()
    assert mifid.split()[:2] == ["MiFID", "0.00"]
    assert fid.split()[:2] == ["FID", "0.00"]
    assert distance.split()[:2] == ["distance", "0.000"]


def test_an_image_without_finite_features_is_named(
    cli: Run, ours: Path, theirs: Path, tmp_path: Path
) -> None:
    Image.new("RGB", (8, 8), "white").save(ours / "007.png")
    network = make_tiny_inception(tmp_path / "nan.pt", nan_on_white=True)
    flags = ("--inception", network, "--trust-inception", "--device", "cpu")
    result = cli("score", ours, "--reference", theirs, *flags)
    assert result.exit_code == 1
    assert "ours: the Inception network returns NaN for 007.png" in result.stderr


@pytest.mark.parametrize("few", ["ours", "theirs"])
def test_too_few_images_are_refused(
    score: Run, ours: Path, theirs: Path, tmp_path: Path, few: str
) -> None:
    for path in sorted((tmp_path / few).iterdir())[3:]:
        path.unlink()
    result = score(ours, "--reference", theirs)
    assert result.exit_code == 1
    assert f"{few}: scoring needs at least 4 images" in result.stderr


def test_files_other_than_zips_are_refused(score: Run, theirs: Path, tmp_path: Path) -> None:
    file = tmp_path / "images.zip"
    file.write_bytes(b"no zip")
    result = score(file, "--reference", theirs)
    assert result.exit_code == 1
    assert "images.zip: not a zip" in result.stderr
    (tmp_path / "empty").mkdir()
    result = score(tmp_path / "empty", "--reference", theirs)
    assert result.exit_code == 1
    assert "empty: no images found" in result.stderr
    result = score(theirs, "--reference", theirs / "000.png")
    assert result.exit_code == 1
    assert "000.png is an image; expected a folder or a zip" in result.stderr
