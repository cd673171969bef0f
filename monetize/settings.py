"""Settings of a job: frozen dataclasses with their defaults and limits.

A field has the name of its flag (`num_inference_steps` is `--num-inference-steps`) and of its key
in a TOML preset, where each class is a table.
"""

import math
import reprlib
import shlex
from collections.abc import Collection, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from monetize.adapters import Embedding, Lora
from monetize.errors import UsageError
from monetize.image_sizes import FIT, parse_size, pixels_of
from monetize.prompts.style import check_style
from monetize.prompts.syntax import PLAIN, SYNTAXES
from monetize.prompts.weights import Weight
from monetize.prompts.words import fold

# The schedulers that have a name here, with diffusers' classes.
SCHEDULERS = {
    "pndm": "PNDMScheduler",
    "lms": "LMSDiscreteScheduler",
    "ddim": "DDIMScheduler",
    "dpm++": "DPMSolverMultistepScheduler",
    "unipc": "UniPCMultistepScheduler",
    "euler": "EulerDiscreteScheduler",
    "euler-a": "EulerAncestralDiscreteScheduler",
    "heun": "HeunDiscreteScheduler",
    "lcm": "LCMScheduler",
}
DTYPES = ("auto", "float32", "float16", "bfloat16")
FITS = ("crop", "pad", "squash")
EXECUTORS = ("local", "ray")
MONET = "monet"  # the bundled palette
MAX_SEED = 2**64 - 1
MAX_NUMBER = MAX_SEED  # of any setting; sizes and times above have no meaning
MAX_STEPS = 999  # one less than Stable Diffusion was trained with; schedulers fail at 1,000


@dataclass(frozen=True)
class DeviceSettings:
    """Where the models run: `auto` is CUDA in half precision if available, else the CPU."""

    device: str = "auto"
    dtype: str = "auto"
    offline: bool = False

    def __post_init__(self) -> None:
        _one_of(self, "dtype", DTYPES)


@dataclass(frozen=True)
class ExecutorSettings:
    """Which machines work on a job: `local` is this one, `ray` are the nodes of a Ray cluster.

    A `ray_address` of None is that of RAY_ADDRESS, else the cluster that this machine is in, else
    a new one on this machine only. A painter gets `gpus_per_painter` of a GPU, or on CPUs
    `cpus_per_painter` of them; None is as many as torch uses here. `ship_checkpoint` sends the
    files of checkpoints to the nodes. None of this changes what is painted.
    """

    executor: str = "local"
    ray_address: str | None = None
    gpus_per_painter: float = 1.0
    cpus_per_painter: int | None = None
    ship_checkpoint: bool = False

    def __post_init__(self) -> None:
        _one_of(self, "executor", EXECUTORS)
        if not 0 < self.gpus_per_painter <= 1:
            raise UsageError(
                "--gpus-per-painter must be greater than 0 and at most 1, not "
                f"{self.gpus_per_painter!r}: a painter uses one GPU or a part of one"
            )
        if self.cpus_per_painter is not None:
            _within(self, "cpus_per_painter", 1)
        if self.executor != "ray":
            for name in own_names(ExecutorSettings)[1:]:
                if getattr(self, name) != getattr(ExecutorSettings, name):
                    raise UsageError(f"{flag(name)} needs --executor ray")


@dataclass(frozen=True)
class CaptionSettings:
    """How photos are captioned; the defaults are those of the authors of ViT-GPT2.

    A `captioner` of `auto` is vit-gpt2 on CUDA and pocket elsewhere.
    """

    captioner: str = "auto"
    caption_batch_size: int = 16
    caption_prompt: str = ""
    num_beams: int = 4
    max_length: int = 16

    def __post_init__(self) -> None:
        for name in ("caption_batch_size", "num_beams"):
            _within(self, name, 1)
        _within(self, "max_length", 2)


@dataclass(frozen=True)
class PaintSettings:
    """How prompts are painted.

    A `model` of `auto` is sd-v1-4 on CUDA and pocket elsewhere; each `lora` changes its weights.
    None stands for the checkpoint's
    own `size` (pixels), `num_inference_steps`, `guidance_scale` and `scheduler` (512, 50, 7.5 and
    PNDM for Stable Diffusion v1), for the `batch_size` that fits in the device's memory, and for
    `compile` if there are enough paintings for it to save time. Other sizes are `512x384` and
    `fit`, which is the shape of the photo. With a `strength`, paintings start from photos, and
    int(num_inference_steps × strength) steps are made; None starts from noise.
    `fit` is how an image goes into another shape; None is crop. With a `prompt_syntax` other than
    plain, prompts give weights to their words themselves. Token weights apply to the steps at
    fractions [weight_start, weight_end) of those that are made, guidance to [guidance_start,
    guidance_end). A `palette` is `monet` or a folder or zip of paintings: the colors of each
    picture are moved towards those of one of them, by the fraction `palette_strength`.
    """

    model: str = "auto"
    lora: tuple[Lora, ...] = ()
    embedding: tuple[Embedding, ...] = ()
    size: int | str | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    guidance_start: float = 0.0
    guidance_end: float = 1.0
    negative_prompt: str = ""
    scheduler: str | None = None
    strength: float | None = None
    fit: str | None = None
    weight: tuple[Weight, ...] = ()
    prompt_syntax: str = PLAIN
    weight_start: float = 0.0
    weight_end: float = 1.0
    batch_size: int | None = None
    compile: bool | None = None
    palette: str | None = None
    palette_strength: float = 1.0
    safety_checker: bool = False

    def __post_init__(self) -> None:
        for name, low, high in (
            ("num_inference_steps", 1, MAX_STEPS),
            ("guidance_scale", 0, math.inf),
            ("batch_size", 1, math.inf),
        ):
            if getattr(self, name) is not None:
                _within(self, name, low, high)
        if self.size is not None:
            _check_size(self, "size", 8)
        if self.size == FIT and self.compile:
            raise UsageError("--compile with --size fit would compile each shape: leave one out")
        _within(self, "palette_strength", 0, 1)
        if self.strength is not None and not 0 < self.strength <= 1:
            raise UsageError(
                f"--strength must be greater than 0 and at most 1, not {self.strength!r}"
            )
        if self.fit is not None:
            _one_of(self, "fit", FITS)
        if self.scheduler is not None:
            _one_of(self, "scheduler", SCHEDULERS)
        for what in ("weight", "guidance"):
            _interval(self, f"{what}_start", f"{what}_end")
        _one_of(self, "prompt_syntax", SYNTAXES)
        sources = [lora.source for lora in self.lora]
        for source in sources:
            if sources.count(source) > 1:
                raise UsageError(f"--lora {source} is given more than once")
        phrases = [fold(weight.phrase) for weight in self.weight]
        for weight, phrase in zip(self.weight, phrases, strict=True):
            if phrases.count(phrase) > 1:
                raise UsageError(f"--weight {weight.phrase!r} is given more than once")


@dataclass(frozen=True)
class EditSettings:
    """How closely an edited painting keeps to the painting of its base prompt.

    Words act where they do in the base's painting for the fraction `keep_words` of the steps
    (cross-attention), and the layout is the base's for the fraction `keep_layout` (self-attention,
    in layers of up to `keep_layout_at` squared image positions). With `only`, words or phrases of
    either prompt, the painting changes only where these act.
    """

    keep_words: float = 0.4
    keep_layout: float = 0.4
    keep_layout_at: int = 16
    only: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _within(self, "keep_words", 0, 1)
        _within(self, "keep_layout", 0, 1)
        _within(self, "keep_layout_at", 1)


@dataclass(frozen=True)
class RunSettings:
    """A whole job, from photos to a contest zip.

    A `style` is appended to each caption, or a template for it; with a `style_file` it is one of
    that file's lines. `metadata` writes prompt and settings into each JPEG. With a `time_budget`,
    in seconds, paintings get fewer steps if that is needed to finish in time; `allow_approximate`
    also allows steps without guidance.
    """

    style: str = "in monet style painting"
    style_file: str | None = None
    seed: int = 0
    shared_seed: bool = False
    recursive: bool = True
    limit: int | None = None
    output_size: int | str = 256
    jpeg_quality: int = 95
    metadata: bool = False
    time_budget: float | None = None
    allow_approximate: bool = False
    caption: CaptionSettings = field(default_factory=CaptionSettings)
    paint: PaintSettings = field(default_factory=PaintSettings)
    device: DeviceSettings = field(default_factory=DeviceSettings)
    executor: ExecutorSettings = field(default_factory=ExecutorSettings)

    def __post_init__(self) -> None:
        check_style(self.style)
        _within(self, "seed", 0, MAX_SEED)
        if self.limit is not None:
            _within(self, "limit", 1)
        _check_size(self, "output_size", 1)
        if self.time_budget is not None:
            _within(self, "time_budget", 1)
            if self.executor.executor == "ray":
                raise UsageError(
                    "--time-budget plans for the devices of this machine: leave it or "
                    "--executor ray out"
                )
        elif self.allow_approximate:
            raise UsageError("--allow-approximate needs --time-budget: give both")
        # Pillow advises against more than 95, which only makes larger files, but allows 100.
        _within(self, "jpeg_quality", 1, 100)


def flag(name: str) -> str:
    """Return the flag of a setting."""
    return "--" + name.replace("_", "-")


def flags(values: Mapping[str, Any], defaults: object) -> str:
    """Return the flags, quoted for a shell, of the values that differ from `defaults`."""
    changed = {name: value for name, value in values.items() if value != getattr(defaults, name)}
    return shlex.join(
        part
        for name, value in changed.items()
        for each in (value if isinstance(value, tuple) else (value,))
        for part in (flag(name), str(each))
    )


def own_names(settings: type) -> list[str]:
    """Return the names of the fields that are not settings classes themselves."""
    return [f.name for f in fields(settings) if f.default is not MISSING]


def _within(settings: Any, name: str, low: float, high: float = math.inf) -> None:
    value = getattr(settings, name)
    if not (low <= value <= min(high, MAX_NUMBER)):
        limits = f"at least {low}" if high == math.inf else f"between {low} and {high}"
        raise UsageError(f"{flag(name)} must be {limits}, not {reprlib.repr(value)}")


def _check_size(settings: Any, name: str, least: int) -> None:
    """Check a size: pixels of a square, WIDTHxHEIGHT, or fit."""
    value = getattr(settings, name)
    if isinstance(value, str):
        try:
            value = parse_size(value)
        except ValueError as error:
            raise UsageError(f"{flag(name)}: {error}") from None
    if value == FIT:
        return
    for side in pixels_of(value):
        if not least <= side <= MAX_NUMBER:
            raise UsageError(f"{flag(name)} must be at least {least}, not {value!r}")


def _interval(settings: Any, start: str, end: str) -> None:
    """Check an interval of fractions of the steps."""
    _within(settings, start, 0, 1)
    _within(settings, end, 0, 1)
    first, last = getattr(settings, start), getattr(settings, end)
    if first >= last:
        raise UsageError(f"{flag(start)} {first} is not before {flag(end)} {last}")


def _one_of(settings: Any, name: str, choices: Collection[str]) -> None:
    value = getattr(settings, name)
    if value not in choices:
        raise UsageError(
            f"{flag(name)} must be one of {', '.join(choices)}, not {reprlib.repr(value)}"
        )
