"""The options that commands share; names and defaults are those of the settings' fields."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from monetize.cli.parameter_types import WEIGHT, AutoOrNumber, PaletteName
from monetize.cli.presets import use_config, use_preset
from monetize.errors import UsageError
from monetize.presets import PRESETS, TABLES
from monetize.prompts.weights import WEIGHT_FORM
from monetize.settings import (
    DTYPES,
    SCHEDULERS,
    CaptionSettings,
    DeviceSettings,
    PaintSettings,
    RunSettings,
    flag,
    own_names,
)

S = TypeVar("S")
VERBOSE = "monetize.verbose"
Command = Callable[..., None]
Decorator = Callable[[Command], Command]


def note_verbose(ctx: click.Context, _param: click.Parameter, verbose: bool) -> bool:
    """Tell the group, which shows errors, whether tracebacks are wanted."""
    ctx.meta[VERBOSE] = verbose
    return verbose


def _check_palette(ctx: click.Context, _param: click.Parameter, palette: str | None) -> str | None:
    """Refuse a strength that was given with nothing to be strong; a preset's may stand."""
    # click reads first what the command line gives, so that the strength is known by now.
    given = ctx.get_parameter_source("palette_strength") is ParameterSource.COMMANDLINE
    if palette is None and given:
        raise UsageError("--palette-strength is for --palette; give both")
    return palette


def build(settings: type[S], params: Mapping[str, Any], **others: Any) -> S:
    """Make settings of the parameters that bear their fields' names."""
    names = [name for name in own_names(settings) if name in params]
    return settings(**{name: params[name] for name in names}, **others)


def _all(*decorators: Decorator) -> Decorator:
    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def _default(value: object) -> dict[str, Any]:
    return {"default": value, "show_default": True}


recursive_option = click.option(
    "--recursive/--no-recursive",
    help="Look for photos in subfolders too.",
    **_default(RunSettings.recursive),
)

caption_options = _all(
    click.option(
        "--captioner",
        metavar="NAME|FOLDER|HUB-ID",
        help="Checkpoint that captions: pocket (small, comes along), vit-gpt2, a folder in "
        "transformers layout, or a hub id. auto is vit-gpt2 on CUDA, else pocket.",
        **_default(CaptionSettings.captioner),
    ),
    click.option(
        "--caption-batch-size",
        type=int,
        help="Photos captioned at once.",
        **_default(CaptionSettings.caption_batch_size),
    ),
    click.option(
        "--num-beams",
        type=int,
        help="Beams of the search for a caption.",
        **_default(CaptionSettings.num_beams),
    ),
    click.option(
        "--max-length",
        type=int,
        help="Most tokens in a caption.",
        **_default(CaptionSettings.max_length),
    ),
)

model_option = click.option(
    "--model",
    metavar="NAME|FOLDER|HUB-ID",
    help="Checkpoint that paints: pocket (small, comes along), sd-v1-4, sd-v1-3, sd-v1-2, "
    "sd-v1-1, a folder in diffusers layout, or a hub id. auto is sd-v1-4 on CUDA, else pocket.",
    **_default(PaintSettings.model),
)

weight_option = click.option(
    "--weight",
    "-w",
    type=WEIGHT,
    multiple=True,
    help="Factor of a word's or phrase's attention: 1 changes nothing, 0 mutes the word, a "
    f"negative number pushes away from it. {WEIGHT_FORM[0].upper()}{WEIGHT_FORM[1:]}. Repeatable.",
)

paint_options = _all(
    model_option,
    weight_option,
    click.option(
        "--preset",
        type=click.Choice(list(PRESETS)),
        is_eager=True,
        expose_value=False,
        callback=use_preset,
        help="draft: other pictures for a third of the work of Stable Diffusion's own settings: "
        + " ".join(f"{flag(name)} {value}" for name, value in PRESETS["draft"].items())
        + ". Flags and --config go before it.",
    ),
    click.option(
        "--weight-start",
        type=float,
        help="Fraction of the steps after which weights begin to act.",
        **_default(PaintSettings.weight_start),
    ),
    click.option(
        "--weight-end",
        type=float,
        help="Fraction of the steps after which weights no longer act.",
        **_default(PaintSettings.weight_end),
    ),
    click.option(
        "--num-inference-steps",
        "--steps",
        type=int,
        help="Denoising steps; more take longer. --steps is short for it.  "
        "[default: the checkpoint's own; 50 for Stable Diffusion v1, 15 for pocket]",
    ),
    click.option(
        "--guidance-scale",
        type=float,
        help="How closely to follow the prompt; 1 or less turns guidance off.  "
        "[default: the checkpoint's own; 7.5 for Stable Diffusion v1, 4 for pocket]",
    ),
    click.option(
        "--guidance-start",
        type=float,
        help="Fraction of the steps after which guidance begins; a step without it takes half "
        "the time.",
        **_default(PaintSettings.guidance_start),
    ),
    click.option(
        "--guidance-end",
        type=float,
        help="Fraction of the steps after which there is no more guidance.",
        **_default(PaintSettings.guidance_end),
    ),
    click.option(
        "--negative-prompt",
        help="What guidance leads away from.",
        default=PaintSettings.negative_prompt,
    ),
    click.option(
        "--scheduler",
        type=click.Choice(SCHEDULERS),
        help="Sampler.  [default: the checkpoint's own; PNDM for Stable Diffusion v1, DPM++ for "
        "pocket]",
    ),
    click.option(
        "--size",
        type=int,
        help="Width and height to paint at, in pixels.  "
        "[default: the checkpoint's own; 512 for Stable Diffusion v1, 128 for pocket]",
    ),
    click.option(
        "--batch-size",
        type=AutoOrNumber(),
        default="auto",
        show_default=True,
        help="Paintings made at once. auto is as many as the memory of a CUDA device holds, up to "
        "16; elsewhere 1. When memory runs out it is halved.",
    ),
    click.option(
        "--compile/--no-compile",
        default=None,
        help="Compile the model: minutes to begin with, then faster.  "
        "[default: on CUDA, from 256 paintings on]",
    ),
    click.option(
        "--palette",
        type=PaletteName(),
        metavar="monet|PAINTINGS|none",
        callback=_check_palette,
        help="Move each picture's colours to those of a Monet, or of a painting of this folder or "
        "zip: of five, drawn by the picture's seed, the one whose colours are nearest. none is for "
        "presets that have one.  [default: none]",
    ),
    click.option(
        "--palette-strength",
        type=float,
        help="How far of the way --palette goes, 0 to 1.",
        **_default(PaintSettings.palette_strength),
    ),
    click.option(
        "--safety-checker/--no-safety-checker",
        help="Black out what the checkpoint's safety checker flags.",
        **_default(PaintSettings.safety_checker),
    ),
)

device_options = _all(
    click.option(
        "--device",
        help="auto (CUDA if there is one), cpu, cuda, cuda:1, mps.",
        **_default(DeviceSettings.device),
    ),
    click.option(
        "--dtype",
        type=click.Choice(DTYPES),
        help="Precision; auto is float16 on CUDA, float32 elsewhere.",
        **_default(DeviceSettings.dtype),
    ),
    click.option(
        "--offline",
        is_flag=True,
        help="Never use the network: take checkpoints from this machine only.",
    ),
)


output_options = _all(
    click.option("--quiet", "-q", is_flag=True, help="Print nothing but results and warnings."),
    click.option(
        "--verbose",
        "-v",
        is_flag=True,
        is_eager=True,
        callback=note_verbose,
        help="Show the libraries' own messages, and tracebacks of errors.",
    ),
)


def common_options(*tables: str) -> Decorator:
    """Return the options that every long command has; it reads these tables of a preset."""
    named = " and ".join(f"[{table}]" for table in tables)
    return _all(
        click.option(
            "--config",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            is_eager=True,
            expose_value=False,
            callback=partial(use_config, tables),
            help="TOML preset such as configs/contest.toml; flags override it. "
            + ("All" if len(tables) == len(TABLES) else f"Only {named}")
            + " of its tables are read.",
        ),
        output_options,
    )
