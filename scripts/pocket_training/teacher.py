"""What a network trained on a million photos sees: the captioner learns to see the same.

Five thousand photos with a sentence each teach a vision transformer little. The maps of features
of Inception-2015, which knows a thousand kinds of things, say of every part of every photo what is
there (distillation as in Romero et al., "FitNets", ICLR 2015).
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from monetize.scoring.inception import Inception
from pocket_training.data import load_pictures, to_unit

SIZE = 256
CHANNELS = 128  # of the 2,048, by principal components
SEEN_AT_ONCE = 16


def see(
    paths: Sequence[Path], inception: Path, kept: Path, *, device: torch.device, seed: int
) -> Tensor:
    """Maps of what is in each picture, half floats (count, CHANNELS, 6, 6), kept in a file.

    Over all pictures and places their mean is 0 and their mean square 1.
    """
    if not kept.exists():
        *layers, _pool = Inception.load(inception, device).network.net.layers.children()
        rows = []
        for i in tqdm(range(0, len(paths), SEEN_AT_ONCE), desc="teacher", unit="batch"):
            x = to_unit(load_pictures(paths[i : i + SEEN_AT_ONCE], SIZE)).to(device)
            with torch.inference_mode():
                for layer in layers:
                    x = layer(x)
            rows.append(x.half().cpu())
        torch.save(principal(torch.cat(rows), seed), kept.with_suffix(".partial"))
        kept.with_suffix(".partial").replace(kept)
    maps: Tensor = torch.load(kept, weights_only=True)
    if len(maps) != len(paths):
        raise ValueError(f"{kept} is of {len(maps)} pictures, not of these {len(paths)}: remove it")
    return maps


def principal(maps: Tensor, seed: int) -> Tensor:
    """The first principal components of maps (count, channels, height, width)."""
    count, _, height, width = maps.shape
    places = maps.permute(0, 2, 3, 1).flatten(0, 2).float()
    mean = places.mean(0)
    torch.manual_seed(seed)
    sample = places[torch.randperm(len(places))[:20_000]] - mean
    _, _, axes = torch.pca_lowrank(sample, CHANNELS, center=False)
    reduced = (places - mean) @ axes
    reduced /= reduced.square().mean().sqrt()
    return reduced.view(count, height, width, -1).permute(0, 3, 1, 2).half()
