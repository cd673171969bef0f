"""Painting: which checkpoint paints, from which seed, and how."""

from pathlib import Path
from typing import TypeVar

import click
from click.core import ParameterSource

from monetize.cli.help import option_in
from monetize.cli.options.base import all_of, shown_default
from monetize.cli.parameter_types import (
    EMBEDDING,
    LORA,
    PAINTER_CHECKPOINT,
    SIZE,
    TEXT,
    PaletteName,
)
from monetize.cli.path_types import FILE
from monetize.cli.presets import use_preset
from monetize.errors import UsageError
from monetize.presets import PRESETS
from monetize.settings import FITS, MAX_SEED, SCHEDULERS, PaintSettings, RunSettings, flag

T = TypeVar("T")

_option = option_in("Painting")


def _check_palette(ctx: click.Context, _param: click.Parameter, palette: str | None) -> str | None:
    """Refuse --palette-strength on the command line without a palette; in a preset it may stay."""
    # click processes what the command line gives first, so the strength is known by now.
    given = ctx.get_parameter_source("palette_strength") is ParameterSource.COMMANDLINE
    if palette is None and given:
        raise UsageError("--palette-strength needs --palette")
    return palette


def _refuse_two_styles(ctx: click.Context, _param: click.Parameter, style: T) -> T:
    # The flag that comes first on the command line does not know of the other yet.
    sources = [ctx.get_parameter_source(name) for name in ("style", "style_file")]
    if sources == [ParameterSource.COMMANDLINE] * 2:
        raise UsageError("--style and --style-file are both given: leave one out")
    return style


def _check_style_file(ctx: click.Context, _param: click.Parameter, path: Path | None) -> str | None:
    """Let --style on the command line override the style_file of a preset."""
    _refuse_two_styles(ctx, _param, path)
    styled = ctx.get_parameter_source("style") is ParameterSource.COMMANDLINE
    return None if path is None or styled else str(path)


model_option = _option(
    "--model",
    type=PAINTER_CHECKPOINT,
    help="Checkpoint that paints: pocket (small, bundled), sd-v1-4, sd-v1-3, sd-v1-2, sd-v1-1, a "
    "folder in diffusers layout, a single .safetensors or .ckpt file of Stable Diffusion v1, or a "
    "hub id. auto is sd-v1-4 on CUDA and pocket elsewhere.",
    **shown_default(PaintSettings.model),
)

_lora_option = _option(
    "--lora",
    type=LORA,
    multiple=True,
    help="LoRA for Stable Diffusion v1 to add to the model, a .safetensors file, a folder or hub "
    "id with one; SCALE is its factor, 1 unless given. Repeatable.",
)

embedding_option = _option(
    "--embedding",
    type=EMBEDDING,
    multiple=True,
    help="Textual inversion for Stable Diffusion v1: a .safetensors, .pt or .bin file. Prompts use "
    "it by its token, which is the file's name, or the one that diffusers wrote into the file, or "
    "TOKEN. Repeatable.",
)

run_prompt_options = all_of(
    _option(
        "--style",
        type=TEXT,
        default=RunSettings.style,
        show_default=True,
        callback=_refuse_two_styles,
        help="Phrase appended to each caption, or a template with {caption} in it, and {stem} and "
        "{folder} for the names of the photo and its folder.",
    ),
    _option(
        "--style-file",
        type=FILE,
        callback=_check_style_file,
        help="Text file with one style per line, instead of --style; each photo's seed picks one.",
    ),
    _option(
        "--seed",
        type=int,
        help="Number that each photo's own seed is derived from, together with the photo's name.",
        **shown_default(RunSettings.seed),
    ),
    _option("--shared-seed", is_flag=True, help="Use --seed itself for every photo."),
)

paint_seed_options = all_of(
    _option(
        "--number",
        "-n",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="Number of paintings per prompt; each has the next seed.",
    ),
    _option(
        "--seed",
        type=click.IntRange(0, MAX_SEED),
        help="The same seed gives the same painting.  [default: a random seed, which is printed]",
    ),
)

_sampling_options = all_of(
    _option(
        "--preset",
        type=click.Choice(list(PRESETS)),
        is_eager=True,
        expose_value=False,
        callback=use_preset,
        help="draft: a different picture for a third of the work of Stable Diffusion's own "
        "settings: "
        + " ".join(f"{flag(name)} {value}" for name, value in PRESETS["draft"].items())
        + ". Flags and --config override it.",
    ),
    _option(
        "--num-inference-steps",
        "--steps",
        type=int,
        help="Number of denoising steps; --steps for short.  "
        "[default: the checkpoint's own; 50 for Stable Diffusion v1, 15 for pocket]",
    ),
    _option(
        "--guidance-scale",
        type=float,
        help="How closely to follow the prompt; 1 or less turns guidance off.  "
        "[default: the checkpoint's own; 7.5 for Stable Diffusion v1, 4 for pocket]",
    ),
    _option(
        "--guidance-start",
        type=float,
        help="Fraction of the steps after which guidance starts; a step without guidance takes "
        "half the time.",
        **shown_default(PaintSettings.guidance_start),
    ),
    _option(
        "--guidance-end",
        type=float,
        help="Fraction of the steps after which guidance stops.",
        **shown_default(PaintSettings.guidance_end),
    ),
    _option(
        "--negative-prompt",
        type=TEXT,
        help="Text to steer away from.",
        default=PaintSettings.negative_prompt,
    ),
    _option(
        "--scheduler",
        type=click.Choice(SCHEDULERS),
        help="Sampler; heun evaluates each step but the last twice, and lcm is for checkpoints and "
        "LoRAs that were made for it.  [default: the checkpoint's own; PNDM for Stable Diffusion "
        "v1, DPM++ for pocket]",
    ),
    _option(
        "--size",
        type=SIZE,
        help="Size to paint at, in pixels: N for a square, WIDTHxHEIGHT, or fit for the shape of "
        "the photo, with as many pixels as the checkpoint's own size.  "
        "[default: the checkpoint's own; 512 for Stable Diffusion v1, 256 for pocket]",
    ),
)

_finish_options = all_of(
    _option(
        "--palette",
        type=PaletteName(),
        metavar="monet|PAINTINGS|none",
        callback=_check_palette,
        help="Shift the colors of each picture towards those of a Monet, or of a painting in this "
        "folder or zip: the closest match among five picked by the picture's seed. none turns off "
        "a preset's palette.  [default: none]",
    ),
    _option(
        "--palette-strength",
        type=float,
        help="How far --palette shifts the colors, from 0 to 1.",
        **shown_default(PaintSettings.palette_strength),
    ),
    _option(
        "--safety-checker/--no-safety-checker",
        help="Black out what the checkpoint's safety checker flags.",
        **shown_default(PaintSettings.safety_checker),
    ),
)

start_options = all_of(
    _option(
        "--strength",
        type=float,
        help="Start from the photo and take only the last steps: this fraction of them, rounded "
        "down. Near 0 the painting is almost the photo, at 1 little of it is left, but that is "
        "not the same as painting from noise.  [default: paint from noise, from words alone]",
    ),
    _option(
        "--fit",
        type=click.Choice(FITS),
        help="How to fit an image into another shape: crop cuts off its edges, pad puts it on "
        "white, squash stretches it.  [default: crop, with a message]",
    ),
)

painting_options = all_of(
    model_option, _lora_option, embedding_option, _sampling_options, _finish_options
)
