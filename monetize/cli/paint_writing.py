"""Paint what `monetize paint` was asked for, and write it: pictures, heat maps, sweeps."""

from functools import partial

from monetize.atomic_files import write_bytes
from monetize.cli.paint_outputs import Outputs, SweepOutputs
from monetize.cli.terminal import Terminal
from monetize.images.encoding import encode
from monetize.painting.prompt_painter import Singles
from monetize.prompts.prompt import Prompt
from monetize.prompts.sweep import Grid
from monetize.sheets import painting_heatmap, sweep_sheet


def write_paintings(
    singles: Singles, work: list[tuple[Prompt, int]], outputs: Outputs, terminal: Terminal
) -> None:
    """Paint prompts with their seeds; write and print each file as soon as it is painted."""
    painted = singles.paint(work, heat=outputs.with_heatmaps)
    for i, ((prompt, seed), single) in enumerate(zip(work, painted, strict=True)):
        sheet, text = outputs.heatmaps[i], singles.parameters(single, prompt, seed)
        encoded = partial(encode, single.painting.image, text=text)
        path = outputs.write_painting(i, prompt, seed, encoded)
        if single.painting.flagged:
            terminal.warn(f"{path} was blacked out by the safety checker")
        terminal.result(str(path))
        if sheet is not None:
            drawn = painting_heatmap.draw(
                singles.stage.tokenizer, prompt, seed, single.painting, single.before
            )
            text = singles.parameters(single, prompt, seed, {"Sheet": "heat maps"})
            data = encode(drawn, sheet, text, "--heatmap")
            write_bytes(sheet, data, overwrite=outputs.overwrite)
            terminal.result(str(sheet))


def write_sweep(
    singles: Singles, grid: Grid, seed: int, outputs: SweepOutputs, terminal: Terminal
) -> None:
    """Paint the grid of a sweep, and write its sheet and, if kept, its pictures."""
    work = [(prompt, seed) for prompt in grid.prompts]
    pictures = []
    for i, ((prompt, _), single) in enumerate(zip(work, singles.paint(work), strict=True)):
        pictures.append(single.painting.image)
        if single.painting.flagged:
            weights = ", ".join(map(str, prompt.weights))
            terminal.warn(f"the picture with {weights} was blacked out by the safety checker")
        if outputs.kept:
            path = outputs.kept[i]
            text = singles.parameters(single, prompt, seed)
            data = encode(single.painting.image, path, text)
            write_bytes(path, data, overwrite=outputs.overwrite)
            terminal.result(str(path))
    others = {"Sweep": ", ".join(map(str, grid.sweeps))}
    text = singles.parameters(single, Prompt(grid.text, grid.fixed), seed, others)
    data = encode(sweep_sheet.draw(grid, pictures, seed), outputs.sheet, text)
    write_bytes(outputs.sheet, data, overwrite=outputs.overwrite)
    terminal.result(str(outputs.sheet))
