"""`monetize paint`: single paintings of given prompts."""

import secrets
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import click

from monetize.cli.options import build, common_options, device_options, paint_options
from monetize.cli.terminal import Terminal, load_libraries
from monetize.errors import UsageError, name_some
from monetize.job import chunks
from monetize.pictures import check_format, encode, free_name, numbered, parameters
from monetize.prompt import Prompt, check_text
from monetize.settings import MAX_SEED, DeviceSettings, PaintSettings
from monetize.storage import write_bytes


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
    """
    terminal = Terminal(quiet=quiet, verbose=verbose)
    settings, device = build(PaintSettings, params), build(DeviceSettings, params)
    prompts = [Prompt(text, settings.weight) for text in _texts(prompt, from_file)]
    if seed is None:
        seed = secrets.randbelow(2**32)
    if seed + number - 1 > MAX_SEED:
        raise UsageError(f"--seed {seed}: the last of {number} seeds would be above {MAX_SEED}")
    work = [(each, seed + i) for each in prompts for i in range(number)]
    paths: Iterator[Path | None] = repeat(None)
    if output is not None:
        paths = iter(_outputs(output, len(work), overwrite))

    load_libraries(terminal)
    from monetize.paint_stage import PaintStage
    from monetize.tokens import weigh_strictly

    stage = PaintStage(settings, device, terminal)
    for each in prompts:
        for caution in weigh_strictly(stage.tokenizer, each).cautions():
            terminal.warn(caution)
    last = f" to {seed + number - 1}" if number > 1 else ""
    terminal.say(f"Seed: {seed}{last}")
    terminal.say(f"Painter: {stage}")
    with terminal.stage("Painting", len(work), "painting") as progress:
        progress.step("loading the model")
        batches = stage.load(len(work), terminal)
        painter = batches.painter
        for batch in chunks(work, stage.chunk_size):
            paintings = batches.start(
                [each for each, _ in batch],
                [own for _, own in batch],
                on_step=lambda step, of: progress.step(f"step {step}/{of}"),
            ).result()
            for (each, own), painting in zip(batch, paintings, strict=True):
                path = next(paths) or free_name(each.text, own)
                text = parameters(
                    each,
                    stage.settings,
                    seed=own,
                    size=painter.size,
                    scheduler=type(painter.pipeline.scheduler).__name__,
                )
                write_bytes(path, encode(painting.image, path, text))
                if painting.flagged:
                    terminal.warn(f"{path} was blacked out by the safety checker")
                terminal.result(str(path))
            progress.advance(len(batch))


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


def _outputs(output: Path, count: int, overwrite: bool) -> list[Path]:
    check_format(output)
    if not output.parent.is_dir():
        raise UsageError(f"--output {output}: there is no folder {output.parent}: make it first")
    paths = numbered(output, count)
    existing = [path for path in paths if path.exists()]
    if existing and not overwrite:
        raise UsageError(f"--output: {name_some(existing)} exists; --overwrite replaces it")
    return paths
