"""`monetize paint`: single paintings of given prompts."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from monetize.cli.edits import edit_settings, edited_prompts
from monetize.cli.help import SectionedCommand
from monetize.cli.init_image import check_init_image
from monetize.cli.like import check_like
from monetize.cli.options.base import build
from monetize.cli.options.common import common_options
from monetize.cli.options.device import device_options
from monetize.cli.options.editing import editing_options
from monetize.cli.options.input import from_file_option, init_image_option, like_option
from monetize.cli.options.output import paint_output_options
from monetize.cli.options.painting import paint_seed_options, painting_options, start_options
from monetize.cli.options.speed import batch_options
from monetize.cli.options.weights import sweep_options, weight_options
from monetize.cli.presets import warn_unless_faster
from monetize.cli.terminal import Terminal, load_libraries
from monetize.errors import UsageError
from monetize.file_errors import explain_read_errors
from monetize.settings import MAX_SEED, DeviceSettings, PaintSettings
from monetize.stores.remote_path import AnyPath

if TYPE_CHECKING:
    from monetize.images.repaint import Repaint
    from monetize.prompts.sweep import AnySweep


@click.command(cls=SectionedCommand)
@click.argument("prompt", required=False)
@from_file_option
@like_option
@init_image_option
@paint_seed_options
@painting_options
@start_options
@weight_options
@sweep_options
@editing_options
@batch_options
@device_options
@paint_output_options
@common_options("paint", "device")
def paint(
    prompt: str | None,
    from_file: Any,
    like: "Repaint | None",
    init_image: AnyPath | None,
    output: Path | None,
    number: int,
    seed: int | None,
    heatmap: Path | None,
    sweeps: "tuple[AnySweep, ...]",
    keep: bool,
    edit: str | None,
    overwrite: bool,
    quiet: bool,
    verbose: bool,
    **params: Any,
) -> None:
    """Paint PROMPT, or each line of standard input if PROMPT is -.

    A painting starts from noise and follows the words alone, or starts from the photo given with
    --init-image; the smaller --strength is, the more of the photo's composition stays.

    Prints the names of the files. Each file contains the prompt and the settings as text that
    image viewers for AI pictures can show.

    \b
    Examples:
      monetize paint "a sunset over a lake in monet style painting"
      monetize paint "a sunset over a lake" --weight sunset=-1 --seed 7 -o day.png
      monetize paint "a garden with a red sun" -w "red sun=2" -w @2=0.5 -n 4
      monetize paint --from-file prompts.txt -o several.jpg
      monetize paint "a lake in monet style painting" --init-image lake.jpg --strength 0.5
      monetize paint --like day.png -w sunset=2 -o evening.png
      monetize paint "a pine tree and a red sun" -w pine=-1 --heatmap where.png
      monetize paint "a pine tree and a red sun" --sweep pine=-2:2:1 -o sweep.png
      monetize paint "a pine tree and a red sun" --sweep pine=-2:2:2 --sweep "red sun=0:2:1" --keep
      monetize paint "a pine tree" --sweep pine=-1:1:1 --sweep seed=1:4 --heatmap where.png
      monetize paint "a lake" --model painting.safetensors --lora monet.safetensors=0.8
      monetize paint "a lake, monet-style" --embedding monet-style.pt -w monet-style=1.5
      monetize paint "a lake at sunset" --edit "a lake in a storm" -o storm.png
      monetize paint "a pine tree and a red sun" -w pine=-1 --keep-layout 0.4 -o less-pine.png
      monetize paint "a cat in a garden" --edit "a dog in a garden" --only dog
    """
    import secrets

    from monetize.cli.paint_outputs import EditOutputs, Outputs, SweepOutputs
    from monetize.prompts.prompt import Prompt
    from monetize.prompts.sweep import Grid, SeedSweep, Sweep

    terminal = Terminal(quiet=quiet, verbose=verbose)
    settings, device = build(PaintSettings, params), build(DeviceSettings, params)
    editing = edit_settings(params, edit)
    texts = _texts(prompt, from_file, like)
    syntax = settings.prompt_syntax
    prompts = [Prompt.parse(text, settings.weight, syntax) for text in texts]
    _say_hint(terminal, syntax, [*texts, edit or "", settings.negative_prompt])
    _check_sweep(sweeps, texts, number=number, keep=keep)
    sweeps_weights = any(isinstance(sweep, Sweep) for sweep in sweeps)
    compared = heatmap is not None and any(each.is_weighted for each in prompts)
    if settings.palette is not None and (sweeps_weights or editing or compared):
        raise UsageError(
            "--palette may give each picture the colors of another painting, so the pictures "
            "cannot be compared: leave it out, or give --palette none"
        )
    if heatmap is not None and settings.compile:
        raise UsageError(
            "--heatmap does not work with a compiled model: leave out --heatmap or --compile"
        )
    if like is not None:
        check_like(like, settings, init_image, terminal, is_edit=editing is not None)
    photo_size = check_init_image(init_image, settings)
    if swept := [sweep.seeds for sweep in sweeps if isinstance(sweep, SeedSweep)]:
        seed, number = swept[0].start, len(swept[0])
    if seed is None:
        seed = secrets.randbelow(2**32)
    if seed + number - 1 > MAX_SEED:
        raise UsageError(f"--seed {seed}: the last of {number} seeds would be above {MAX_SEED}")
    seeds = range(seed, seed + number)
    if editing:
        edited = edited_prompts(texts, edit, settings, sweeps=sweeps, heatmap=heatmap)
        named = [(each, seed) for each in edited for seed in seeds]
        edit_outputs = EditOutputs.plan(output, named, overwrite=overwrite)
        prompts = [
            each.without_weights(syntax) if edit is None else replace(each, weights=())
            for each in prompts
        ]
    elif sweeps:
        grid = Grid(texts[0], settings.weight, sweeps, seed, syntax)
        sweep_outputs = SweepOutputs.plan(grid, output, heatmap, keep=keep, overwrite=overwrite)
        prompts = [grid.pictures[0][0]]  # all weights act on the same tokens
    else:
        count = len(texts) * number
        outputs = Outputs.plan(output, heatmap, count, overwrite=overwrite)

    load_libraries(terminal)
    warn_unless_faster(settings, device, terminal)
    from monetize.cli.paint_writing import write_edits, write_paintings, write_sweep
    from monetize.painting.prompt_painter import PromptPainter
    from monetize.painting.spec import PainterSpec

    spec = PainterSpec.resolve(settings, device, terminal)
    painter = PromptPainter(spec, terminal)
    painter.check(prompts, grid.weight_sweeps if sweeps else (), heat=heatmap is not None)
    if editing and edit is not None:
        painter.check(edited, what="--edit")
    painted = [*prompts, *(edited if editing else ())]
    spec.warn_about_embeddings((each.text for each in painted), terminal)
    last = f" to {seed + number - 1}" if number > 1 else ""
    terminal.say(f"Seed: {seed}{last}")
    terminal.say(f"Painter: {spec}")
    if init_image is not None and photo_size is not None:
        painter.say_start(init_image, photo_size)
    if editing:
        edits = [
            painter.edited(painter.request(base, seed, init_image), changed, editing)
            for base, changed in zip(prompts, edited, strict=True)
            for seed in seeds
        ]
        write_edits(painter, edits, edit_outputs, terminal)
    elif sweeps:
        write_sweep(painter, grid, init_image, sweep_outputs, terminal)
    else:
        requests = [painter.request(each, seed, init_image) for each in prompts for seed in seeds]
        write_paintings(painter, requests, outputs, terminal)


def _say_hint(terminal: Terminal, syntax: str, texts: Iterable[str]) -> None:
    """Say once if a plain prompt looks like another program's syntax."""
    from monetize.prompts.syntax import PLAIN, hint

    hints = filter(None, map(hint, texts if syntax == PLAIN else ()))
    if looks := next(hints, ""):
        terminal.say(looks)


def _check_sweep(
    sweeps: "tuple[AnySweep, ...]", texts: list[str], *, number: int, keep: bool
) -> None:
    from monetize.prompts.sweep import Sweep

    if keep and not sweeps:
        raise UsageError("--keep needs --sweep")
    if not sweeps:
        return
    if len(texts) > 1:
        raise UsageError(f"--sweep takes one prompt, not {len(texts)}")
    if number > 1:
        raise UsageError(
            "--sweep paints from one seed: use --sweep seed=START:STOP instead of --number"
        )
    seed_source = click.get_current_context().get_parameter_source("seed")
    seeds = [sweep for sweep in sweeps if not isinstance(sweep, Sweep)]
    if seeds and seed_source is ParameterSource.COMMANDLINE:
        raise UsageError(f"--sweep {seeds[0]} has the seeds: leave out --seed")


def _texts(prompt: str | None, from_file: Any, like: "Repaint | None") -> list[str]:
    from monetize.messages import printable
    from monetize.prompts.prompt import read_prompt, read_prompts

    if like is not None and prompt is None and from_file is None:
        return [like.prompt]
    if (prompt is None) == (from_file is None):
        raise UsageError("give either PROMPT or --from-file; see monetize paint --help")
    if prompt == "-":
        from_file = click.open_file("-", "rb")
    elif prompt is not None:
        prompt = read_prompt(prompt)
        if not prompt.strip():
            raise UsageError("PROMPT is empty")
        return [prompt]
    name = getattr(from_file, "name", "-")
    source = "standard input" if name in ("-", "<stdin>") else printable(name)
    with explain_read_errors(Path(name), UsageError):
        texts = read_prompts(from_file.read(), source)
    if not texts:
        raise UsageError(f"{source}: there is no prompt in it: write one per line")
    return texts
