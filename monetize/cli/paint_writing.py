"""Paint what `monetize paint` was asked for, and write it: images, heat maps, sweeps, edits."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from monetize.atomic_files import write_bytes
from monetize.cli.paint_outputs import EditOutputs, Outputs, SweepOutputs
from monetize.cli.terminal import Terminal
from monetize.images.encoding import encode
from monetize.painting.prompt_painter import PromptPainter
from monetize.painting.request import PaintRequest
from monetize.prompts.prompt import Prompt
from monetize.prompts.sweep import Grid
from monetize.sheets import edit_sheet, painting_heatmap, sweep_sheet


def write_paintings(
    painter: PromptPainter,
    requests: Sequence[PaintRequest],
    outputs: Outputs,
    terminal: Terminal,
) -> None:
    """Paint requests; write and print each file as soon as it is painted."""
    painted = painter.paint(requests, heat=outputs.with_heatmaps)
    for i, (painting, unweighted) in enumerate(painted):
        request = painting.request
        sheet = outputs.heatmaps[i]
        encoded = partial(encode, painting.image, text=painting.parameters())
        path = outputs.write_painting(i, request.prompt, request.seed, encoded)
        if painting.flagged:
            terminal.warn(f"{path} was blacked out by the safety checker")
        terminal.result(str(path))
        if sheet is not None:
            drawn = painting_heatmap.draw(painter.spec.tokenizer, painting, unweighted)
            text = painting.parameters({"Sheet": "heat maps"})
            data = encode(drawn, sheet, text, "--heatmap")
            write_bytes(sheet, data, overwrite=outputs.overwrite)
            terminal.result(str(sheet))


def write_sweep(
    painter: PromptPainter,
    grid: Grid,
    seed: int,
    init_image: Path | None,
    outputs: SweepOutputs,
    terminal: Terminal,
) -> None:
    """Paint the grid of a sweep, and write its sheet and, if kept, its images."""
    requests = [painter.request(prompt, seed, init_image) for prompt in grid.prompts]
    images = []
    for i, (painting, _) in enumerate(painter.paint(requests)):
        images.append(painting.image)
        if painting.flagged:
            weights = ", ".join(map(str, painting.request.prompt.weights))
            terminal.warn(f"the image with {weights} was blacked out by the safety checker")
        if outputs.kept:
            path = outputs.kept[i]
            data = encode(painting.image, path, painting.parameters())
            write_bytes(path, data, overwrite=outputs.overwrite)
            terminal.result(str(path))
    request = painter.request(Prompt(grid.text, grid.fixed), seed, init_image)
    fixed = replace(painting, request=request)
    text = fixed.parameters({"Sweep": ", ".join(map(str, grid.sweeps))})
    data = encode(sweep_sheet.draw(grid, images, seed), outputs.sheet, text)
    write_bytes(outputs.sheet, data, overwrite=outputs.overwrite)
    terminal.result(str(outputs.sheet))


def write_edits(
    painter: PromptPainter,
    edits: Sequence[PaintRequest],
    outputs: EditOutputs,
    terminal: Terminal,
) -> None:
    """Paint edits with their bases; write and print the files of each pair once it is painted."""
    for (base, edited), paths in zip(painter.paint_edits(edits), outputs.files, strict=True):
        edited_path, base_path, sheet_path = paths
        sheet = edit_sheet.draw(base, edited)
        for path, image, text in (
            (base_path, base.image, base.parameters()),
            (edited_path, edited.image, edited.parameters()),
            (sheet_path, sheet, edited.parameters({"Sheet": "base and edit"})),
        ):
            write_bytes(path, encode(image, path, text), overwrite=outputs.overwrite)
            terminal.result(str(path))
        for path, painting in ((base_path, base), (edited_path, edited)):
            if painting.flagged:
                terminal.warn(f"{path} was blacked out by the safety checker")
