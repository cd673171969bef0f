"""Compiling the UNet: whether that pays off, and which variants of a step to compile."""

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from monetize.durations import format_duration
from monetize.prompts.syntax import PLAIN
from monetize.settings import PaintSettings

# Fewer paintings than these never take as long as compiling, so nothing is measured for them.
FEWEST_TO_COMPILE = 64
# Assumptions until they are measured on more cards: seconds to compile a variant of a step, and
# the fraction of the time that compiled kernels save.
SECONDS_PER_VARIANT = 60
EXPECTED_GAIN = 0.15


@dataclass(frozen=True)
class Variant:
    """A kind of step, which has a compiled graph of its own."""

    guided: bool
    weighted: bool

    def one_step(self, settings: PaintSettings) -> PaintSettings:
        """Settings that paint with one step of this variant."""
        return replace(
            settings,
            num_inference_steps=1,
            guidance_scale=settings.guidance_scale if self.guided else 1.0,
            guidance_start=0.0,
            guidance_end=1.0,
            weight_start=0.0,
            weight_end=1.0,
            strength=None,
        )


def variants(settings: PaintSettings, *, approximate: bool = False) -> list[Variant]:
    """The kinds of steps that paintings with these complete settings may have.

    With `approximate`, a time budget may leave guidance out of some steps.
    """
    assert settings.guidance_scale is not None  # the settings are complete
    guided = [True] if settings.guidance_scale > 1 else [False]
    partly = (settings.guidance_start, settings.guidance_end) != (0, 1)
    if guided == [True] and (partly or approximate):
        guided.append(False)
    # A batch whose prompts have none of the weighted words is not weighted.
    may_be_weighted = settings.weight or settings.prompt_syntax != PLAIN
    weighted = [False, True] if may_be_weighted else [False]
    return [Variant(g, w) for g in guided for w in weighted]


def pays(seconds: float, count: int) -> tuple[bool, str]:
    """Whether compiling `count` variants pays off if painting takes this long, and why."""
    cost, gain = count * SECONDS_PER_VARIANT, EXPECTED_GAIN * seconds
    reason = (
        f"that takes about {format_duration(cost)} and saves about {format_duration(gain)} of "
        f"{format_duration(seconds)}"
    )
    return gain > cost, reason


def keep_kernels() -> None:
    """Have torch keep compiled kernels in the user's cache, for the next job and after a restart.

    Its own default is a temporary folder, which also remains where this one cannot be made.
    """
    with suppress(OSError, RuntimeError):  # RuntimeError: there is no home
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = home / "monetize" / "compiled"
        if "TORCHINDUCTOR_CACHE_DIR" not in os.environ:
            folder.mkdir(parents=True, exist_ok=True)
            os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder)
