"""Times, rates and memory, measured side by side."""

import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from benchmark.peers import PROMPTS, Architecture, Peer
from monetize.devices import Placement
from monetize.painting.attention.token_weights import TokenWeights
from monetize.painting.painter import Painter
from monetize.painting.shared_prefix import SharedPrefix
from monetize.prompts.prompt import Prompt
from monetize.settings import PaintSettings


def compare(
    peers: Sequence[Peer], images: int, repeats: int, placement: Placement
) -> dict[str, dict[str, Any]]:
    """Paint `images` pictures with each peer in turn, `repeats` times after a warm-up.

    A peer paints at most four batches: one that paints a single picture at a time would take too
    long. Only the peer whose turn it is has its model on a CUDA device.
    """
    counts = {peer.name: min(images, 4 * peer.batch) for peer in peers}
    cold, warm = dict[str, float](), dict[str, float]()
    for peer in peers:
        with peer.on(placement.device):
            cold[peer.name] = _seconds(peer, counts[peer.name], placement)
            warm[peer.name] = _seconds(peer, min(peer.batch, images), placement)
    seconds: dict[str, list[float]] = {peer.name: [] for peer in peers}
    memory: dict[str, int] = dict.fromkeys(seconds, 0)
    for _ in range(repeats):
        for peer in peers:
            with peer.on(placement.device):
                if placement.device.type == "cuda":
                    torch.cuda.reset_peak_memory_stats(placement.device)
                taken = _seconds(peer, counts[peer.name], placement)
                seconds[peer.name].append(taken / counts[peer.name])
                if placement.device.type == "cuda":
                    memory[peer.name] = torch.cuda.max_memory_allocated(placement.device)
    return {
        peer.name: {
            "batch": peer.batch,
            "images": counts[peer.name],
            "images_per_second": 1 / statistics.median(seconds[peer.name]),
            "range": [1 / max(seconds[peer.name]), 1 / min(seconds[peer.name])],
            "ratio_to_first": 1 / _ratio(seconds[peer.name], seconds[peers[0].name]),
            "cold_seconds": cold[peer.name],
            "warm_seconds_to_first_pictures": warm[peer.name],
            "device_memory_bytes": memory[peer.name] or None,
        }
        for peer in peers
    }


def _ratio(taken: Sequence[float], other: Sequence[float]) -> float:
    """The median ratio over the rounds, because the machine's speed varies between rounds."""
    return statistics.median(one / two for one, two in zip(taken, other, strict=True))


def _seconds(peer: Peer, images: int, placement: Placement) -> float:
    prompts = [PROMPTS[i % len(PROMPTS)] for i in range(images)]
    begin = time.perf_counter()
    for start in range(0, images, peer.batch):
        some = slice(start, min(start + peer.batch, images))
        peer.paint(prompts[some], range(images)[some])  # returns pictures, so the device is done
    if placement.device.type == "cuda":
        torch.cuda.synchronize(placement.device)
    return time.perf_counter() - begin


@torch.no_grad()
def flops_of_a_picture(architecture: Architecture, settings: PaintSettings) -> int:
    """Count, without computing, the unet's guided evaluations, the decoder and the text encoder."""
    pipeline = architecture.build(Placement(torch.device("meta"), torch.float32))
    side = architecture.size // 8
    width = pipeline.unet.config.cross_attention_dim
    with torch.device("meta"):
        pair, text = torch.empty(2, 4, side, side), torch.empty(2, 77, width)
        tokens = torch.zeros(2, 77, dtype=torch.long)
        time_step = torch.zeros(())
    scheduler = pipeline.scheduler
    scheduler.set_timesteps(settings.num_inference_steps)
    evaluations = len(scheduler.timesteps)
    counts = list[int]()
    calls: tuple[Callable[[], object], ...] = (
        lambda: pipeline.unet(pair, time_step, encoder_hidden_states=text),
        lambda: pipeline.vae.decode(pair[:1]),
        lambda: pipeline.text_encoder(tokens),
    )
    for call in calls:
        with FlopCounterMode(display=False) as counter:
            call()
        counts.append(counter.get_total_flops())
    unet, decoder, encoder = counts
    return evaluations * unet + decoder + encoder


def matrix_rate(placement: Placement) -> float:
    """FLOP per second of the fastest of several products of large square matrices."""
    on_cuda = placement.device.type == "cuda"
    side = 8192 if on_cuda else 2048
    one, other = (torch.randn(side, side).to(placement.device, placement.dtype) for _ in range(2))
    best = float("inf")
    for _ in range(8):
        begin = time.perf_counter()
        for _ in range(10 if on_cuda else 1):
            one @ other
        if on_cuda:
            torch.cuda.synchronize(placement.device)
        best = min(best, (time.perf_counter() - begin) / (10 if on_cuda else 1))
    return 2 * side**3 / best


@torch.inference_mode()
def longest_kernels(painter: Painter, batch: int, count: int = 10) -> str:
    """A table of the slowest kernels in two steps of a batch and in decoding it."""
    requests = [painter.request(Prompt(text), i) for i, text in enumerate(PROMPTS * batch)][:batch]
    short = replace(painter.settings, num_inference_steps=2)
    painter.paint(requests, short)  # the first is slower
    activities = [ProfilerActivity.CPU]
    by = "self_cpu_time_total"
    if painter.device.type == "cuda":
        activities.append(ProfilerActivity.CUDA)
        by = "self_cuda_time_total"
    with profile(activities=activities) as profiler:
        painter.paint(requests, short)
    averages = profiler.key_averages()
    return str(averages.table(sort_by=by, row_limit=count, max_name_column_width=80))


def peak_memory() -> int:
    """The peak of this process's main memory, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


@torch.inference_mode()
def evaluations(
    architecture: Architecture, repeats: int, placement: Placement
) -> dict[str, dict[str, Any]]:
    """Time a guided evaluation of one picture by equal unets, in three ways in turn.

    They are diffusers' way, monetize's, and monetize's with a weight on every token.
    """
    plain, unet = (architecture.build(placement).unet for _ in range(2))
    side, width = architecture.size // 8, unet.config.cross_attention_dim
    half = torch.randn(1, 4, side, side).to(placement.device, placement.dtype)
    text = torch.randn(2, 77, width).to(placement.device, placement.dtype)
    factors = torch.randn(2, 77, 1).to(placement.device, placement.dtype)
    SharedPrefix(unet).on = True
    weighting = TokenWeights(unet)
    seconds: dict[str, list[float]] = {"diffusers": [], "monetize": [], "monetize, weighted": []}
    for repeat in range(repeats + 1):
        for name, taken in seconds.items():
            weighting.factors = factors if "weighted" in name else None
            begin = time.perf_counter()
            used = plain if name == "diffusers" else unet
            used(torch.cat([half, half]), 500, encoder_hidden_states=text)
            if placement.device.type == "cuda":
                torch.cuda.synchronize(placement.device)
            if repeat:  # the first is slower
                taken.append(time.perf_counter() - begin)
    return {
        name: {
            "seconds": statistics.median(taken),
            "range": [min(taken), max(taken)],
            "ratio_to_first": _ratio(taken, seconds["diffusers"]),
        }
        for name, taken in seconds.items()
    }
