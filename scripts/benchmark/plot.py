"""The comparison as a bar chart."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt


def draw(result: dict[str, Any], path: Path) -> None:
    """Draw a bar for each peer: the median, with the range of the repeats."""
    mpl.use("Agg")
    peers = result["peers"]
    names = list(peers)[::-1]
    medians = [peers[name]["images_per_second"] for name in names]
    low = [m - peers[n]["range"][0] for n, m in zip(names, medians, strict=True)]
    high = [peers[n]["range"][1] - m for n, m in zip(names, medians, strict=True)]
    figure, axes = plt.subplots(figsize=(8, 0.6 * len(names) + 1.4), layout="constrained")
    colors = ["tab:green" if name.startswith("monetize") else "tab:gray" for name in names]
    bars = axes.barh(names, medians, xerr=(low, high), color=colors, capsize=3)
    axes.bar_label(bars, [f" {median:.3g}" for median in medians], padding=6)
    axes.set_xlabel("pictures per second (median, range of the repeats)")
    axes.set_title(
        f"{result['architecture']}, {result['evaluations']} guided evaluations, "
        f"{result['placement']}",
        fontsize=10,
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.12)
    figure.savefig(path, dpi=100)
    plt.close(figure)
