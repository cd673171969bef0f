"""The names of a LoRA's tensors → the layers of UNet and text encoder that they belong to."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn

# kohya's, peft's and diffusers' names of the two matrices: A reduces, B expands.
NAME = re.compile(
    r"(?P<layer>.+?)(?P<processor>_lora)?\."
    r"(?P<kind>lora_down|lora_A|lora\.down|lora_linear_layer\.down|down|"
    r"lora_up|lora_B|lora\.up|lora_linear_layer\.up|up|alpha)"
    r"(?:\.default(?:_\d+)?)?(?:\.weight)?"
)
# An early form of diffusers names the projections of attention by the UNet's own names.
TEXT_PROJECTIONS = {"to_q": "q_proj", "to_k": "k_proj", "to_v": "v_proj", "to_out": "out_proj"}


@dataclass
class Factors:
    """The matrices of a layer in the file, and α; None stands for the rank."""

    down: Tensor | None = None
    up: Tensor | None = None
    alpha: float | None = None


@dataclass(frozen=True)
class Target:
    """A layer of the model, and its name within its part."""

    part: str
    name: str
    module: nn.Module = field(repr=False)

    @property
    def weight(self) -> Tensor:
        """The layer's weights: (out, in), or (out, in, height, width) of a convolution."""
        weight = self.module.weight
        assert isinstance(weight, Tensor)
        return weight


def match_layers(
    weights: Mapping[str, Tensor], parts: Mapping[str, nn.Module]
) -> tuple[list[tuple[Target, Factors]], list[str]]:
    """Return the layers of a LoRA with their matrices, and the names that no layer has."""
    targets = dict(_named_targets(parts))
    found: dict[str, tuple[Target, Factors]] = {}
    unknown = []
    for key, tensor in weights.items():
        match = NAME.fullmatch(key)
        target = _target(match, targets) if match else None
        if match is None or target is None:
            unknown.append(key)
            continue
        _, factors = found.setdefault(f"{target.part}.{target.name}", (target, Factors()))
        if match["kind"] == "alpha":
            factors.alpha = float(tensor)
        else:
            setattr(factors, _side(match["kind"]), tensor)
    return list(found.values()), unknown


def _named_targets(parts: Mapping[str, nn.Module]) -> Iterator[tuple[str, Target]]:
    """Yield every layer of the parts under each name that files have for it."""
    for part, plain, flat in (
        ("unet", ("", "unet."), ("lora_unet_",)),
        (
            "text_encoder",
            ("text_encoder.", "text_encoder.text_model."),
            ("lora_te_", "lora_te_text_model_"),
        ),
    ):
        for name, module in parts[part].named_modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                own = name.removeprefix("text_model.")
                target = Target(part, own, module)
                yield from ((prefix + own, target) for prefix in plain)
                yield from ((prefix + own.replace(".", "_"), target) for prefix in flat)


def _target(match: re.Match[str], targets: Mapping[str, Target]) -> Target | None:
    layer = match["layer"].replace(".processor.", ".")
    head, _, last = layer.rpartition(".")
    for name in (layer, f"{layer}.0", f"{head}.{TEXT_PROJECTIONS.get(last, last)}"):
        if name in targets:
            return targets[name]
    return None


def _side(kind: str) -> str:
    return "down" if kind.endswith(("down", "A")) else "up"
