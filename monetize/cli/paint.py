"""`monetize paint`: single paintings of given prompts."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monetize.atomic_files import write_bytes
from monetize.cli.options import (
    build,
    common_options,
    device_options,
    paint_options,
)
from monetize.cli.paint_outputs import Outputs, SweepOutputs
from monetize.cli.parameter_types import SWEEP
from monetize.cli.terminal import Terminal, load_libraries
from monetize.errors import UsageError
from monetize.images.encoding import encode
from monetize.prompts.prompt import Prompt, check_text
from monetize.prompts.sweep import Grid, Sweep
from monetize.settings import MAX_SEED, DeviceSettings, PaintSettings
from monetize.sheets import sweep_sheet

if TYPE_CHECKING:  # they import torch
    from monetize.painting.prompt_painter import Singles


@click.command()
@click.argument("prompt", required=False)
@click.option(
    "--from-file",
    type=click.File(encoding="utf-8"),
    help="Text file with a prompt a line; - is standard input.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="PNG or JPEG to write; several paintings are numbered.  "
    "[default: a new name with the prompt and the seed]",
)
@click.option(
    "--number",
    "-n",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Paintings of each prompt, with seeds counted up.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, MAX_SEED),
    help="Number that the painting grows from: the same seed gives the same painting.  "
    "[default: a random one, which is printed]",
)
@click.option(
    "--heatmap",
    type=click.Path(dir_okay=False, path_type=Path),
    help="PNG or JPEG for a sheet that shows where each word acted, laid over the painting; with "
    "weights, before and after side by side, so that each is painted twice. Several paintings "
    "have numbered sheets.",
)
@click.option(
    "--sweep",
    "sweeps",
    type=SWEEP,
    multiple=True,
    help="Paint with each of these weights of a word, from the same seed, and write one labelled "
    "sheet. Twice: a grid with the first in columns and the second in rows. STOP is included if a "
    "step falls on it.",
)
@click.option(
    "--keep", is_flag=True, help="Also write each picture of a --sweep, beside the sheet."
)
@paint_options
@device_options
@click.option("--overwrite", is_flag=True, help="Replace the output files if they exist.")
@common_options("paint", "device")
def paint(
    prompt: str | None,
    from_file: Any,
    output: Path | None,
    number: int,
    seed: int | None,
    heatmap: Path | None,
    sweeps: tuple[Sweep, ...],
    keep: bool,
    overwrite: bool,
    quiet: bool,
    verbose: bool,
    **params: Any,
) -> None:
    """Paint PROMPT, or each line of standard input if PROMPT is -.

    The files' names are printed. Each file has the prompt and what shaped it inside, in the text
    form that image viewers of this field read.

    \b
    Examples:
      monetize paint "a pine tree and a red sun"
      monetize paint "a pine tree and a red sun" --weight pine=-1 --seed 7 -o less-pine.png
      monetize paint "a garden with a red sun" -w "red sun=2" -w @2=0.5 -n 4
      monetize paint --from-file prompts.txt -o painting.jpg
      monetize paint "a pine tree and a red sun" -w pine=-1 --heatmap where.png
      monetize paint "a pine tree and a red sun" --sweep pine=-2:2:1 -o sweep.png
      monetize paint "a pine tree and a red sun" --sweep pine=-2:2:2 --sweep "red sun=0:2:1" --keep
    """
    terminal = Terminal(quiet=quiet, verbose=verbose)
    settings, device = build(PaintSettings, params), build(DeviceSettings, params)
    texts = _texts(prompt, from_file)
    _check_sweep(sweeps, texts, number=number, heatmap=heatmap, keep=keep)
    if settings.palette is not None and (sweeps or (heatmap is not None and settings.weight)):
        raise UsageError(
            "--palette may take another painting's colours for each picture, so that they cannot "
            "be compared: leave it out, or give --palette none"
        )
    if heatmap is not None and settings.compile:
        raise UsageError("--heatmap looks into the model, which --compile closes: leave one out")
    if seed is None:
        seed = secrets.randbelow(2**32)
    if seed + number - 1 > MAX_SEED:
        raise UsageError(f"--seed {seed}: the last of {number} seeds would be above {MAX_SEED}")
    if sweeps:
        grid = Grid(texts[0], settings.weight, sweeps)
        sweep_outputs = SweepOutputs.plan(grid, output, seed, keep=keep, overwrite=overwrite)
        prompts = grid.prompts[:1]  # weights of other values fall on the same tokens
    else:
        count = len(texts) * number
        outputs = Outputs.plan(output, heatmap, count, overwrite=overwrite)
        prompts = [Prompt(text, settings.weight) for text in texts]

    load_libraries(terminal)
    from monetize.job.paint_stage import PaintStage
    from monetize.painting.prompt_painter import Singles

    stage = PaintStage(settings, device, terminal)
    singles = Singles(stage, terminal)
    singles.check(prompts, sweeps, heat=heatmap is not None)
    last = f" to {seed + number - 1}" if number > 1 else ""
    terminal.say(f"Seed: {seed}{last}")
    terminal.say(f"Painter: {stage}")
    if sweeps:
        _paint_sweep(singles, grid, seed, sweep_outputs, terminal)
    else:
        work = [(each, seed + i) for each in prompts for i in range(number)]
        _paint(singles, work, outputs, terminal)


def _paint(
    singles: "Singles", work: list[tuple[Prompt, int]], outputs: Outputs, terminal: Terminal
) -> None:
    from monetize.sheets.painting_heatmap import draw

    painted = singles.paint(work, heat=outputs.with_heatmaps)
    for i, ((prompt, seed), single) in enumerate(zip(work, painted, strict=True)):
        path, sheet = outputs.painting(i, prompt, seed), outputs.heatmaps[i]
        text = singles.parameters(single, prompt, seed)
        write_bytes(path, encode(single.painting.image, path, text))
        if single.painting.flagged:
            terminal.warn(f"{path} was blacked out by the safety checker")
        terminal.result(str(path))
        if sheet is not None:
            drawn = draw(singles.stage.tokenizer, prompt, seed, single.painting, single.before)
            text = singles.parameters(single, prompt, seed, {"Sheet": "heat maps"})
            write_bytes(sheet, encode(drawn, sheet, text, "--heatmap"))
            terminal.result(str(sheet))


def _paint_sweep(
    singles: "Singles", grid: Grid, seed: int, outputs: SweepOutputs, terminal: Terminal
) -> None:
    work = [(prompt, seed) for prompt in grid.prompts]
    pictures = []
    for i, ((prompt, _), single) in enumerate(zip(work, singles.paint(work), strict=True)):
        pictures.append(single.painting.image)
        if single.painting.flagged:
            told = ", ".join(map(str, prompt.weights))
            terminal.warn(f"the picture of {told} was blacked out by the safety checker")
        if outputs.kept:
            path = outputs.kept[i]
            text = singles.parameters(single, prompt, seed)
            write_bytes(path, encode(single.painting.image, path, text))
            terminal.result(str(path))
    others = {"Sweep": ", ".join(map(str, grid.sweeps))}
    text = singles.parameters(single, Prompt(grid.text, grid.fixed), seed, others)
    write_bytes(outputs.sheet, encode(sweep_sheet.draw(grid, pictures, seed), outputs.sheet, text))
    terminal.result(str(outputs.sheet))


def _check_sweep(
    sweeps: tuple[Sweep, ...], texts: list[str], *, number: int, heatmap: Path | None, keep: bool
) -> None:
    if keep and not sweeps:
        raise UsageError("--keep is for the pictures of a --sweep; give both")
    if not sweeps:
        return
    if len(texts) > 1:
        raise UsageError(f"--sweep is for one prompt; {len(texts)} are given")
    if number > 1:
        raise UsageError("--sweep paints from one seed: leave --number out, or --sweep")
    if heatmap is not None:
        raise UsageError(
            "--heatmap is for one weight at a time: leave it out, or give --weight for --sweep"
        )


def _texts(prompt: str | None, from_file: Any) -> list[str]:
    if (prompt is None) == (from_file is None):
        raise UsageError("give one of PROMPT and --from-file; see monetize paint --help")
    if prompt == "-":
        from_file = click.open_file("-", encoding="utf-8")
    elif prompt is not None:
        if not prompt.strip():
            raise UsageError("PROMPT is empty")
        check_text(prompt)
        return [prompt]
    try:
        texts = [line.strip() for line in from_file if line.strip()]
    except UnicodeDecodeError as error:
        raise UsageError(f"the prompts are not valid UTF-8: {error.reason}") from None
    if not texts:
        raise UsageError("no prompt in what was read: write one a line")
    return texts
