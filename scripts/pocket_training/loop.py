"""The training loop that the stages share: checkpoints, a budget, averaged weights, a log."""

import json
import math
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import torch
from PIL import Image
from torch import Tensor, nn
from tqdm import tqdm

CHECKPOINT_SECONDS = 60.0
PICTURE_SECONDS = 300.0


@dataclass(frozen=True)
class Plan:
    """How long and how a stage trains.

    A stage ends after `samples` training examples or `seconds`, whichever comes first; the
    learning rate falls from `learning_rate` along a cosine to that end.
    """

    samples: int
    seconds: float
    batch_size: int
    learning_rate: float
    average: float = 0.999  # decay per step of the averaged weights, which are the result
    warmup: int = 100  # steps
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.98)


M = TypeVar("M", bound=nn.Module)
Loss = Callable[[M, torch.Generator, float], Tensor]
Draw = Callable[[M], Image.Image]


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16 where it is faster: on CUDA, and on processors with instructions for it.

    With AMX or AVX-512 BF16, convolutions train twice as fast as in float32; without, half as fast.
    """
    abilities = torch.cpu.get_capabilities()
    faster = device.type != "cpu" or any(
        abilities.get(name) for name in ("amx_bf16", "avx512_bf16")
    )
    return torch.autocast(device.type, torch.bfloat16, enabled=faster)


def fit(
    name: str,
    module: M,
    loss_of: Loss[M],
    plan: Plan,
    work: Path,
    *,
    seed: int,
    draw: Draw[M] | None = None,
) -> M:
    """Train a module, or continue an interrupted run; returns it with its averaged weights.

    `loss_of(module, generator, progress)` draws a batch of plan.batch_size with the generator,
    which is seeded by the step, so that a resumed run sees what an uninterrupted one would;
    `progress` is the share of the plan that is done. `draw` occasionally draws
    work/NAME-samples.png with the averaged module.
    """
    state = _State(name, module, plan, work)
    if state.done:
        return state.averaged
    bar = tqdm(total=1.0, desc=name, bar_format="{desc} {percentage:3.0f}% {elapsed} {postfix}")
    running, clock = math.nan, time.monotonic()
    saved = drawn = clock
    while state.progress < 1:
        generator = torch.Generator().manual_seed(seed * 1_000_003 + state.step)
        for group in state.optimizer.param_groups:
            group["lr"] = plan.learning_rate * state.rate()
        loss = loss_of(module, generator, state.progress)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        state.optimizer.step()
        state.optimizer.zero_grad(set_to_none=True)
        now = time.monotonic()
        state.advance(now - clock)
        clock = now
        if state.step % 20 == 0:
            value = loss.item()
            if not math.isfinite(value):
                raise FloatingPointError(f"{name}: the loss is {value} at step {state.step}")
            running = value if math.isnan(running) else 0.95 * running + 0.05 * value
            bar.n = round(min(state.progress, 1), 4)
            bar.set_postfix_str(f"step {state.step} loss {running:.4f}")
        if now - saved > CHECKPOINT_SECONDS:
            state.save(running)
            saved = now
        if draw is not None and now - drawn > PICTURE_SECONDS:
            _picture(draw, state.averaged, work / f"{name}-samples.png")
            drawn = now
    bar.close()
    state.done = True
    state.save(running)
    if draw is not None:
        _picture(draw, state.averaged, work / f"{name}-samples.png")
    return state.averaged


class _State(Generic[M]):
    """The content of a checkpoint."""

    def __init__(self, name: str, module: M, plan: Plan, work: Path) -> None:
        self.name, self.module, self.plan, self.work = name, module, plan, work
        self.averaged = deepcopy(module).eval().requires_grad_(False)
        self.optimizer = torch.optim.AdamW(
            module.parameters(), plan.learning_rate, betas=plan.betas,
            weight_decay=plan.weight_decay, foreach=True,
        )  # fmt: skip
        self.step, self.seconds, self.done = 0, 0.0, False
        self.file = work / f"{name}.pt"
        if self.file.exists():
            kept = torch.load(self.file, weights_only=True, map_location="cpu")
            module.load_state_dict(kept["module"])
            self.averaged.load_state_dict(kept["averaged"])
            self.optimizer.load_state_dict(kept["optimizer"])
            self.step, self.seconds, self.done = kept["step"], kept["seconds"], kept["done"]

    @property
    def samples(self) -> int:
        return self.step * self.plan.batch_size

    @property
    def progress(self) -> float:
        """Share of the plan that is done: 1 at its end."""
        return max(self.samples / self.plan.samples, self.seconds / self.plan.seconds)

    def rate(self) -> float:
        """Factor of the learning rate."""
        falling = 0.5 * (1 + math.cos(math.pi * min(self.progress, 1)))
        return min(1.0, (self.step + 1) / self.plan.warmup) * (0.02 + 0.98 * falling)

    def advance(self, seconds: float) -> None:
        """Count a step, and move the averaged weights towards the trained ones."""
        self.step += 1
        self.seconds += seconds
        # The first steps' weights would otherwise affect the average for a long time.
        share = max(1 - self.plan.average, 9 / (self.step + 9))
        with torch.no_grad():
            targets: list[Tensor] = list(self.averaged.parameters())
            sources: list[Tensor] = list(self.module.parameters())
            torch._foreach_lerp_(targets, sources, share)

    def save(self, loss: float) -> None:
        partial = self.file.with_suffix(".partial")
        torch.save(
            {
                "module": self.module.state_dict(),
                "averaged": self.averaged.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
                "seconds": self.seconds,
                "done": self.done,
            },
            partial,
        )
        partial.replace(self.file)
        line = {
            "stage": self.name,
            "samples": self.samples,
            "seconds": round(self.seconds),
            "loss": round(loss, 5),
            "done": self.done,
        }
        with (self.work / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def _picture(draw: Draw[M], module: M, file: Path) -> None:
    with torch.inference_mode():
        draw(module).save(file)
