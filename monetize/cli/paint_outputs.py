"""The files that `monetize paint` writes: paintings, and sheets of heat maps, sweeps and edits."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from monetize.atomic_files import write_bytes
from monetize.errors import UsageError
from monetize.images.output_paths import check_outputs, companion_paths, free_name, numbered
from monetize.prompts.prompt import Prompt
from monetize.prompts.sweep import MAX_PICTURES, Grid

EDIT_COMPANIONS = ("-base", "-sheet")


@dataclass(frozen=True)
class Outputs:
    """Where paintings and their heat maps go; None stands for a name chosen when it is painted.

    `taken` are the resolved paths of the sheets, which such a name must avoid.
    """

    paintings: Sequence[Path | None]
    heatmaps: Sequence[Path | None]
    taken: frozenset[Path]
    overwrite: bool

    @classmethod
    def plan(
        cls, output: Path | None, heatmap: Path | None, count: int, *, overwrite: bool
    ) -> "Outputs":
        """Name the files of `count` paintings; raises UsageError if one cannot be written."""
        none: list[Path | None] = [None] * count
        paintings = numbered(output, count) if output else []
        heatmaps = numbered(heatmap, count) if heatmap else []
        if paintings:
            check_outputs(paintings, "--output", overwrite=overwrite)
        if heatmaps:
            check_outputs(heatmaps, "--heatmap", overwrite=overwrite)
            if count > MAX_PICTURES:
                raise UsageError(
                    f"--heatmap makes sheets for {MAX_PICTURES} paintings at most, not {count}"
                )
        taken = frozenset(path.resolve() for path in heatmaps)
        for path in paintings:
            if path.resolve() in taken:
                raise UsageError(f"--output and --heatmap would both write {path}: rename one")
        return cls(paintings or none, heatmaps or none, taken, overwrite)

    @property
    def with_heatmaps(self) -> bool:
        """Whether heat maps are requested."""
        return any(self.heatmaps)

    def write_unnamed(self, prompt: Prompt, seed: int, encoded: Callable[[Path], bytes]) -> Path:
        """Write a painting under a free name and return it; `encoded` gives the bytes for one."""
        data = encoded(free_name(prompt.text, seed))
        while True:
            path = free_name(prompt.text, seed, taken=self.taken)
            with suppress(UsageError):  # another process has just taken the name: use the next
                write_bytes(path, data, overwrite=False)
                return path


@dataclass(frozen=True)
class SweepOutputs:
    """Where the sheet of a sweep goes, and its single pictures and heat maps if they are wanted."""

    sheet: Path
    kept: Sequence[Path]
    heatmaps: Sequence[Path]
    overwrite: bool

    @classmethod
    def plan(
        cls, grid: Grid, output: Path | None, heatmap: Path | None, *, keep: bool, overwrite: bool
    ) -> "SweepOutputs":
        """Name the files; raises UsageError if one cannot be written."""
        sheet = output or free_name(grid.text, grid.seed, suffix="-sweep")
        check_outputs([sheet], "--output", overwrite=overwrite)
        kept = grid.picture_paths(sheet) if keep else []
        if kept:
            check_outputs(kept, "--keep", overwrite=overwrite)
        heatmaps = grid.picture_paths(heatmap) if heatmap else []
        if heatmaps:
            check_outputs(heatmaps, "--heatmap", overwrite=overwrite)
        others = {path.resolve() for path in (sheet, *kept)}
        for path in heatmaps:
            if path.resolve() in others:
                raise UsageError(f"--output and --heatmap would both write {path}: rename one")
        return cls(sheet, kept, heatmaps, overwrite)


@dataclass(frozen=True)
class EditOutputs:
    """Where each edited painting, its base and the sheet of the two go."""

    files: Sequence[tuple[Path, Path, Path]]
    overwrite: bool

    @classmethod
    def plan(
        cls, output: Path | None, edits: Sequence[tuple[Prompt, int]], *, overwrite: bool
    ) -> "EditOutputs":
        """Name the files of edited prompts and seeds; raises UsageError if one cannot be written.

        The base and the sheet are named after the edited painting: less-pine.png is next to
        less-pine-base.png and less-pine-sheet.png.
        """
        paths = numbered(output, len(edits)) if output else []
        taken = set[Path]()
        for prompt, seed in [] if output else edits:
            path = free_name(prompt.text, seed, taken=taken, companions=EDIT_COMPANIONS)
            taken |= {each.resolve() for each in (path, *companion_paths(path, EDIT_COMPANIONS))}
            paths.append(path)
        files = []
        for path in paths:
            base, sheet = companion_paths(path, EDIT_COMPANIONS)
            files.append((path, base, sheet))
        check_outputs([each for trio in files for each in trio], "--output", overwrite=overwrite)
        return cls(files, overwrite)
