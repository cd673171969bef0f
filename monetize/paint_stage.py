"""The second stage of a job: every prompt becomes a JPEG in the workspace, chunk by chunk."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from transformers import CLIPTokenizer

from monetize.batches import LARGEST, Batches
from monetize.checkpoints import choose, resolve
from monetize.chunk_painter import ChunkPainter, Task, paint_here
from monetize.errors import counted
from monetize.job import Item, Job, chunks
from monetize.layouts import CHECKED_PAINTER, PAINTER
from monetize.models import complete_settings, place
from monetize.progress import Reporter
from monetize.prompt import Prompt, Weight
from monetize.settings import DeviceSettings, PaintSettings
from monetize.tokens import load_tokenizer, weigh
from monetize.workspace import Workspace


class PaintStage:
    """Finds the painter at once, with CheckpointError if it cannot be had; loads it to run.

    `settings` are complete: with the model, size, scheduler, steps and guidance that will be used.
    A job paints and saves `chunk_size` pictures at a time, in as many batches as memory wants.
    """

    def __init__(self, settings: PaintSettings, device: DeviceSettings, reporter: Reporter) -> None:
        self.placement = place(device)
        name, self.why = choose(settings.model, PAINTER.flag, self.placement.device.type)
        self.checkpoint = resolve(
            name,
            CHECKED_PAINTER if settings.safety_checker else PAINTER,
            half=self.placement.half,
            offline=device.offline,
            say=reporter.say,
        )
        if self.checkpoint.variant and not self.placement.half:
            reporter.say(f"{self.checkpoint.name}: only weights in half precision are here")
        # On a CPU a larger batch is no faster, and more is lost when stopped.
        on_cuda = self.placement.device.type == "cuda"
        self.chunk_size = settings.batch_size or (LARGEST if on_cuda else 1)
        self.settings = replace(complete_settings(self.checkpoint, settings), model=name)
        negative = weigh(self.tokenizer, Prompt(settings.negative_prompt))
        for caution in negative.cautions("--negative-prompt"):
            reporter.warn(caution)

    def __str__(self) -> str:
        return f"{self.checkpoint.name} on {self.placement}{self.why}"

    @cached_property
    def tokenizer(self) -> CLIPTokenizer:
        """The painter's tokenizer, which loads in no time."""
        return load_tokenizer(self.checkpoint)

    def load(self, number: int, reporter: Reporter) -> Batches:
        """Load the painter of so many pictures."""
        return Batches.load(self.checkpoint, self.placement, self.settings, number, reporter)

    def check_weights(self, style: str) -> None:
        """Find mistakes that every prompt would show, before anything is captioned.

        Raises UsageError for positions that there are not, and where two weights fall on one
        token of the style phrase or of each other's phrases.
        """
        words = tuple(weight for weight in self.settings.weight if weight.position is None)
        positions = tuple(weight for weight in self.settings.weight if weight not in words)
        weigh(self.tokenizer, Prompt("", positions))
        for text in (style, *(weight.phrase for weight in words)):
            weigh(self.tokenizer, Prompt(text, words))

    def warn_of_weights(self, items: Sequence[Item], reporter: Reporter) -> None:
        """Say once which weights never act, and what the text encoder's limit cuts off.

        Raises UsageError where two weights fall on one token.
        """
        acting, cut, partly_cut = Counter[Weight](), Counter[Weight](), Counter[Weight]()
        too_long = 0
        for item in items:
            weighted = weigh(self.tokenizer, item.prompt)
            acting.update(item.prompt.weights)
            cut.update(weighted.cut)
            partly_cut.update(weighted.partly_cut)
            too_long += bool(weighted.beyond)
        of_all = f"of {counted(len(items), 'prompt')}"
        limit = self.tokenizer.model_max_length
        if too_long:
            reporter.warn(
                f"{too_long} {of_all}: longer than the {limit} tokens that the painter sees; "
                "what is past them has no effect"
            )
        for weight in self.settings.weight:
            if weight not in acting:
                reporter.warn(f"--weight {str(weight)!r}: no prompt has {weight.phrase!r}")
            for count, effect in (
                (cut[weight], "no effect"),
                (partly_cut[weight], "only a part of its effect"),
            ):
                if count:
                    reporter.warn(
                        f"{count} {of_all}: --weight {str(weight)!r} has {effect}, as "
                        f"{weight.phrase!r} is past token {limit}"
                    )

    def run(
        self, job: Job, workspace: Workspace, items: Sequence[Item], reporter: Reporter
    ) -> tuple[list[tuple[str, Path]], frozenset[str]]:
        """Paint the chunks that the workspace lacks or has for other prompts.

        Returns (name in the zip, JPEG's path) of every item and the names of those that the
        safety checker blacked out.
        """
        item_of = {item.photo: item for item in items}
        by_chunk = (
            (number, [item_of[photo.key] for photo in chunk if photo.key in item_of])
            for number, chunk in enumerate(chunks(job.photos, self.chunk_size))
        )
        plan = {number: chunk for number, chunk in by_chunk if chunk}
        todo = {n: chunk for n, chunk in plan.items() if not _is_done(workspace, n, chunk)}
        if todo:
            self._paint(job, workspace, todo, len(items), reporter)
        members, flagged = [], set[str]()
        for number, chunk in plan.items():
            members += [(item.file, workspace.painting(number, item.file)) for item in chunk]
            record = workspace.chunk(number)
            assert record is not None
            flagged.update(record["flagged"])
        return members, frozenset(flagged)

    def _paint(
        self,
        job: Job,
        workspace: Workspace,
        todo: Mapping[int, Sequence[Item]],
        total: int,
        reporter: Reporter,
    ) -> None:
        done = total - sum(map(len, todo.values()))
        with reporter.stage("Painting", total, "painting", done) as progress:
            progress.step("loading the model")
            batches = self.load(len(job.photos), reporter)
            _say_size(batches.painter.size, job.settings.output_size, reporter)
            tasks = (Task(number, chunk) for number, chunk in todo.items())
            with ChunkPainter(batches, job.settings) as painter:
                for task, made in paint_here(painter, tasks, progress):
                    record = {
                        "items": [item.record() for item in task.items],
                        "flagged": made.flagged,
                    }
                    workspace.save_chunk(task.number, record, made.files)
                    progress.advance(len(task.items))


def _say_size(painted: int, output: int, reporter: Reporter) -> None:
    how = f"Painting at {painted} × {painted} pixels"
    resized = "" if painted == output else f", resized to {output} × {output} in the zip"
    reporter.say(how + resized)


def _is_done(workspace: Workspace, number: int, chunk: Sequence[Item]) -> bool:
    record = workspace.chunk(number)
    return (
        record is not None
        and record["items"] == [item.record() for item in chunk]
        and all(workspace.painting(number, item.file).exists() for item in chunk)
    )
