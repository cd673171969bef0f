"""LoRAs and embeddings as the command line and presets name them."""

import math
import os
import re
from dataclasses import dataclass

from monetize.errors import UsageError
from monetize.prompts.weights import format_number

LORA_FORM = "write FILE, FOLDER or HUB-ID, and =SCALE (such as =0.5) to scale it"
FILE_NAME = re.compile(r"[/\\]|\.[A-Za-z]\w*$")


@dataclass(frozen=True)
class Lora:
    """Where a LoRA is, and the factor that it is applied by; 0 is without it."""

    source: str
    scale: float = 1.0

    def __str__(self) -> str:
        return f"{self.source}={format_number(self.scale)}"


def parse_lora(text: str) -> Lora:
    """Parse `monet.safetensors` or `monet.safetensors=0.8`; raises UsageError."""
    source, equals, number = text.rpartition("=")
    if not equals or os.path.exists(text):  # noqa: PTH110 # pathlib raises for names too long
        source, number = text, "1"
    try:
        scale = float(number)
    except ValueError:
        # The name of a file that is not there may have the sign.
        source, scale = text, 1.0 if FILE_NAME.search(number) else math.nan
    if not source.strip() or not math.isfinite(scale):
        raise UsageError(f"{text!r} is not a LoRA with a scale: {LORA_FORM}")
    return Lora(source, scale)


@dataclass(frozen=True)
class Embedding:
    """The file of a textual inversion, and the token that stands for it; empty for its own."""

    file: str
    token: str = ""

    def __str__(self) -> str:
        return f"{self.file}={self.token}" if self.token else self.file


def parse_embedding(text: str) -> Embedding:
    """Parse `monet.pt` or `monet.pt=monet-style`; raises UsageError."""
    if "=" not in text or os.path.exists(text):  # noqa: PTH110 # as above
        file, token = text, ""
    else:
        file, _, token = text.rpartition("=")
    if not file.strip() or (not token and text.endswith("=")):
        raise UsageError(f"{text!r} is not an embedding: write FILE, or FILE=TOKEN")
    return Embedding(file, token)
