"""A painting's metadata → the options of `paint` that repeat it, and what cannot be repeated."""

import re
from dataclasses import dataclass
from typing import Any

from monetize.errors import UsageError
from monetize.image_sizes import parse_size
from monetize.images.encoding import SAMPLERS
from monetize.images.infotext import Infotext
from monetize.prompts.weights import parse_weight, split_weights
from monetize.settings import FITS, MONET, SCHEDULERS

SCHEDULER_OF = {SAMPLERS[kind]: name for name, kind in SCHEDULERS.items()}
NUMBERS: dict[str, tuple[str, type]] = {
    "Steps": ("num_inference_steps", int),
    "CFG scale": ("guidance_scale", float),
    "Seed": ("seed", int),
    "Denoising strength": ("strength", float),
    "Palette strength": ("palette_strength", float),
}
RANGES = {"Token weights range": "weight", "Guidance range": "guidance"}
# These do not affect how a painting looks, or the caller handles them.
SILENT = frozenset({"Version", "Model hash", "Init image", "Sheet"})
EMPHASIS = re.compile(r"\([^()]*:[0-9.]+\)|<lora:")


@dataclass(frozen=True)
class Repaint:
    """A prompt, the options of `paint` by parameter name, and what is left out, in words.

    `init_image` is the name of the photo that the painting started from, empty for none.
    """

    prompt: str
    options: dict[str, Any]
    left_out: tuple[str, ...]
    init_image: str = ""


def repaint(infotext: Infotext) -> Repaint:
    """Turn a painting's text into options of `paint`; values that are not understood are left out.

    The text may be from monetize or from AUTOMATIC1111's web UI, which has other settings, too.
    """
    options: dict[str, Any] = {}
    left_out = []
    settings = dict(infotext.settings)
    if any(name.startswith("Hires") for name in settings):
        # It is the strength of a second pass over an enlarged painting, which monetize does not do.
        settings.pop("Denoising strength", None)
    is_ours = settings.get("Version", "").startswith("monetize ")
    for name, value in settings.items():
        try:
            options |= _option(name, value, is_ours=is_ours)
        except (ValueError, UsageError):
            left_out.append(f"{name}: {value}")
    if infotext.negative_prompt:
        options["negative_prompt"] = infotext.negative_prompt
    if not is_ours and EMPHASIS.search(infotext.prompt):
        left_out.append("emphasis such as (word:1.2) in the prompt, which is read as plain text")
    init_image = settings.get("Init image", "")
    return Repaint(infotext.prompt, options, tuple(left_out), init_image)


def _option(name: str, value: str, *, is_ours: bool) -> dict[str, Any]:
    """Return the options that a setting stands for; raises ValueError or UsageError."""
    if name in SILENT:
        return {}
    if name in NUMBERS:
        option, kind = NUMBERS[name]
        return {option: kind(value)}
    if name in RANGES:
        start, _, end = value.partition("-")
        return {f"{RANGES[name]}_start": float(start), f"{RANGES[name]}_end": float(end)}
    if name == "Token weights":
        weights = split_weights(value)
        for weight in weights:
            parse_weight(weight)
        return {"weight": weights}
    if name == "Size":
        return {"size": parse_size(value)}
    if name == "Sampler" and value in SCHEDULER_OF:
        return {"scheduler": SCHEDULER_OF[value]}
    if name == "Model" and is_ours:
        return {"model": value}
    if name == "Palette" and value == MONET:
        return {"palette": value}
    if name == "Init image fit" and value in FITS:
        return {"fit": value}
    raise ValueError(f"no option of paint stands for {name}: {value}")
