"""A painting's metadata → the options of `paint` that repeat it, and what cannot be repeated."""

import re
from dataclasses import dataclass
from typing import Any

from monetize.adapters import parse_embedding, parse_lora
from monetize.errors import UsageError
from monetize.image_sizes import parse_size
from monetize.images.encoding import SAMPLERS
from monetize.images.infotext import Infotext
from monetize.prompts.a1111 import MARKUP, NETWORK, parse_a1111
from monetize.prompts.syntax import A1111, SYNTAXES
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
LORA = re.compile(r"LoRA( \d+)?")
EMBEDDING = re.compile(r"Embedding( \d+)?")
LISTS = frozenset({"lora", "embedding", "weight"})


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
            for option, each in _option(name, value, is_ours=is_ours).items():
                options[option] = [*options.get(option, []), *each] if option in LISTS else each
        except (ValueError, UsageError):
            left_out.append(f"{name}: {value}")
    prompt, negative_prompt = infotext.prompt, infotext.negative_prompt
    if not is_ours:
        texts = (prompt, negative_prompt)
        left_out += [network for text in texts for network in NETWORK.findall(text)]
        prompt, negative_prompt = (NETWORK.sub("", text).strip() for text in texts)
        try:
            options |= _syntax(prompt, negative_prompt)
        except UsageError as error:
            left_out.append(f"the prompt's weights, which are read as plain text ({error})")
    if negative_prompt:
        options["negative_prompt"] = negative_prompt
    return Repaint(prompt, options, tuple(left_out), settings.get("Init image", ""))


def _syntax(*texts: str) -> dict[str, str]:
    """Return the option for prompts of the web UI, if they need it; raises UsageError."""
    for text in texts:
        parse_a1111(text)
    return {"prompt_syntax": A1111} if any(map(MARKUP.search, texts)) else {}


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
    if name == "Prompt syntax" and value in SYNTAXES and is_ours:
        return {"prompt_syntax": value}
    if is_ours and EMBEDDING.fullmatch(name):
        parse_embedding(value)
        return {"embedding": [value]}
    if is_ours and LORA.fullmatch(name):
        parse_lora(value)
        return {"lora": [value]}
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
