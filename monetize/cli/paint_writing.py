"""Paint what `monetize paint` was asked for, and write it: images, heat maps, sweeps, edits."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from monetize.cli.paint_outputs import EditOutputs, Outputs, SweepOutputs
from monetize.cli.picture_files import PictureFiles
from monetize.cli.terminal import Terminal
from monetize.images.encoding import encode
from monetize.painting.painting import Painting
from monetize.painting.prompt_painter import PromptPainter
from monetize.painting.request import PaintRequest
from monetize.prompts.sweep import Grid
from monetize.sheets import edit_sheet, painting_heatmap, sweep_sheet
from monetize.stores.remote_path import AnyPath


def write_paintings(
    painter: PromptPainter,
    requests: Sequence[PaintRequest],
    outputs: Outputs,
    terminal: Terminal,
) -> None:
    """Paint requests; write and print each file as soon as it is painted."""
    files = PictureFiles(terminal, overwrite=outputs.overwrite)
    painted = painter.paint(requests, heat=outputs.with_heatmaps)
    for i, (painting, unweighted) in enumerate(painted):
        request = painting.request
        path, sheet = outputs.paintings[i], outputs.heatmaps[i]
        encoded = partial(encode, painting.image, text=painting.parameters())
        if path is None:
            path = outputs.write_unnamed(request.prompt, request.seed, encoded)
            terminal.result(str(path))
        else:
            path = files.write(path, encoded(path))
        if painting.flagged:
            terminal.warn(f"{path} was blacked out by the safety checker")
        if sheet is not None:
            files.write(sheet, _heatmap(painter, painting, unweighted, sheet))
    files.check()


def write_sweep(
    painter: PromptPainter,
    grid: Grid,
    init_image: AnyPath | None,
    outputs: SweepOutputs,
    terminal: Terminal,
) -> None:
    """Paint the grid of a sweep; write its sheet and, if wanted, its pictures and heat maps."""
    files = PictureFiles(terminal, overwrite=outputs.overwrite)
    requests = [painter.request(prompt, seed, init_image) for prompt, seed in grid.pictures]
    images = []
    painted = painter.paint(requests, heat=bool(outputs.heatmaps))
    for i, (painting, unweighted) in enumerate(painted):
        images.append(painting.image)
        if painting.flagged:
            steps = ", ".join(map(sweep_sheet.label, grid.varied[i]))
            terminal.warn(f"the picture of {steps} was blacked out by the safety checker")
        if outputs.kept:
            path = outputs.kept[i]
            files.write(path, encode(painting.image, path, painting.parameters()))
        if outputs.heatmaps:
            path = outputs.heatmaps[i]
            files.write(path, _heatmap(painter, painting, unweighted, path))
    request = painter.request(grid.base, grid.seed, init_image)
    fixed = replace(painting, request=request)
    text = fixed.parameters({"Sweep": ", ".join(map(str, grid.sweeps))})
    files.write(outputs.sheet, encode(sweep_sheet.draw(grid, images), outputs.sheet, text))
    files.check()


def _heatmap(
    painter: PromptPainter, painting: Painting, unweighted: Painting | None, path: Path
) -> bytes:
    """The sheet that shows where each word acted, for a file."""
    drawn = painting_heatmap.draw(painter.spec.tokenizer, painting, unweighted)
    return encode(drawn, path, painting.parameters({"Sheet": "heat maps"}), "--heatmap")


def write_edits(
    painter: PromptPainter,
    edits: Sequence[PaintRequest],
    outputs: EditOutputs,
    terminal: Terminal,
) -> None:
    """Paint edits with their bases; write and print the files of each pair once it is painted."""
    files = PictureFiles(terminal, overwrite=outputs.overwrite)
    for (base, edited), paths in zip(painter.paint_edits(edits), outputs.files, strict=True):
        edited_path, base_path, sheet_path = paths
        for path, painting in ((base_path, base), (edited_path, edited)):
            written = files.write(path, encode(painting.image, path, painting.parameters()))
            if painting.flagged:
                terminal.warn(f"{written} was blacked out by the safety checker")
        text = edited.parameters({"Sheet": "base and edit"})
        files.write(sheet_path, encode(edit_sheet.draw(base, edited), sheet_path, text))
    files.check()
