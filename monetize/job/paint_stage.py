"""The second stage of a job: every prompt becomes a JPEG in the workspace, chunk by chunk."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from transformers import CLIPTokenizer

from monetize.checkpoints.layout import CHECKED_PAINTER, PAINTER
from monetize.checkpoints.loading import complete_settings
from monetize.checkpoints.resolve import resolve, resolve_auto
from monetize.checkpoints.tokenizer import load_tokenizer
from monetize.chunks import chunks
from monetize.devices import every_device, free_memory, place
from monetize.images.color_transfer import Palette
from monetize.images.palettes import PaletteSource
from monetize.job.deadline import Deadline, Speed
from monetize.job.executors.local import ChunkPainter, Made, Task, paint_here
from monetize.job.executors.processes import CHUNKS_EACH, Crew
from monetize.job.job import Item, Job
from monetize.job.workspace import Workspace
from monetize.painting.batching import LARGEST, Batches
from monetize.progress import Reporter, Stage
from monetize.prompts.prompt import Prompt
from monetize.prompts.tokens import weigh
from monetize.settings import DeviceSettings, PaintSettings, flags


@dataclass(frozen=True)
class Painted:
    """The paintings as (name in the zip, JPEG's path), and what is to be told of each name.

    `flagged` are those that the safety checker blacked out. `settings` has the flags that a time
    budget changed, empty for most.
    """

    members: list[tuple[str, Path]]
    flagged: frozenset[str]
    evaluations: dict[str, int]
    settings: dict[str, str]


class PaintStage:
    """Finds the painter at once, with CheckpointError if it cannot be had; loads it to run.

    `settings` are complete: with the model, size, scheduler, steps and guidance that will be used.
    A job paints and saves `chunk_size` pictures at a time, in as many batches as memory wants.
    """

    def __init__(self, settings: PaintSettings, device: DeviceSettings, reporter: Reporter) -> None:
        self.placement = place(device)
        name, self.why = resolve_auto(settings.model, PAINTER.flag, self.placement.device.type)
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
        self.placements = every_device(self.placement)
        self._batches: Batches | None = None
        self._reporter = reporter
        self._palette: PaletteSource | None = None
        if settings.palette is not None:
            self._palette = PaletteSource.of(settings.palette)
        negative = weigh(self.tokenizer, Prompt(settings.negative_prompt))
        for warning in negative.warnings("--negative-prompt"):
            reporter.warn(warning)

    def __str__(self) -> str:
        others = f", {len(self.placements)} of them" if len(self.placements) > 1 else ""
        return f"{self.checkpoint.name} on {self.placement}{others}{self.why}"

    @cached_property
    def palette(self) -> Palette | None:
        """The palette's colours, measured when they are first asked for."""
        if self._palette is None:
            return None
        return self._palette.load(self.settings.palette_strength, self._reporter)

    @property
    def palette_identity(self) -> str | None:
        """What tells the palette from others, wherever it lies."""
        return self._palette.identity() if self._palette is not None else None

    @cached_property
    def tokenizer(self) -> CLIPTokenizer:
        """The painter's tokenizer, which loads in no time."""
        return load_tokenizer(self.checkpoint)

    def load(self, number: int, reporter: Reporter) -> Batches:
        """Load the painter of so many pictures."""
        return Batches.load(self.checkpoint, self.placement, self.settings, number, reporter)

    def deadline(self, job: Job, workspace: Workspace, reporter: Reporter) -> Deadline | None:
        """Measure how fast this machine paints; None where the job has all the time."""
        budget = job.settings.time_budget
        if budget is None:
            return None
        reporter.say("Measuring how fast this machine paints, for --time-budget")
        batches = self.load(len(job.photos), reporter)
        number = min(self.chunk_size, len(job.photos))
        speed = Speed.measure(
            lambda settings: batches.start(
                [Prompt("")] * number, [0] * number, settings=settings
            ).result(),
            self.settings,
        )
        if len(self.placements) == 1:
            self._batches = batches
        to_paint = range(len(chunks(job.photos, self.chunk_size)))
        return Deadline(
            budget,
            speed,
            self.settings,
            photos=len(job.photos),
            chunks=sum(workspace.chunk(number) is None for number in to_paint),
            begin=job.begin,
            devices=len(self.placements),
            approximate=job.settings.allow_approximate,
        )

    def run(
        self,
        job: Job,
        workspace: Workspace,
        items: Sequence[Item],
        reporter: Reporter,
        deadline: Deadline | None = None,
    ) -> Painted:
        """Paint the chunks that the workspace lacks or has for other prompts."""
        item_of = {item.photo: item for item in items}
        by_chunk = (
            (number, [item_of[photo.key] for photo in chunk if photo.key in item_of])
            for number, chunk in enumerate(chunks(job.photos, self.chunk_size))
        )
        plan = {number: chunk for number, chunk in by_chunk if chunk}
        todo = {n: chunk for n, chunk in plan.items() if not _is_done(workspace, n, chunk)}
        if todo:
            self._paint(job, workspace, todo, len(items), reporter, deadline)
        members, flagged = [], set[str]()
        evaluations, settings = dict[str, int](), dict[str, str]()
        for number, chunk in plan.items():
            members += [(item.file, workspace.painting(number, item.file)) for item in chunk]
            record = workspace.chunk(number)
            assert record is not None
            flagged.update(record["flagged"])
            evaluations.update({item.file: record["evaluations"] for item in chunk})
            # Chunks of older versions lack it.
            settings.update({item.file: record.get("settings", "") for item in chunk})
        return Painted(members, frozenset(flagged), evaluations, settings)

    def _paint(
        self,
        job: Job,
        workspace: Workspace,
        todo: Mapping[int, Sequence[Item]],
        total: int,
        reporter: Reporter,
        deadline: Deadline | None,
    ) -> None:
        done = total - sum(map(len, todo.values()))
        at_once = len(self.placements)
        # Of what is sent to CUDA, one chunk is still at work when the next is prepared.
        overlapping = self.placement.device.type == "cuda"
        if deadline is not None:
            deadline.plan(0, reporter, chunks=len(todo))

        def tasks() -> Iterator[Task]:
            for sent, (number, chunk) in enumerate(todo.items()):
                settings = self.settings
                if deadline is not None:
                    in_flight = min(sent, CHUNKS_EACH * at_once - 1 if at_once > 1 else overlapping)
                    settings = deadline.next(len(todo) - sent, in_flight, reporter)
                yield Task(number, chunk, settings)

        with reporter.stage("Painting", total, "painting", done) as progress:
            _say_size(self.settings.size or 0, job.settings.output_size, reporter)
            with self._painting(job, tasks(), progress, reporter) as painted:
                for task, made in painted:
                    record = {
                        "items": [item.record() for item in task.items],
                        "flagged": made.flagged,
                        "evaluations": made.evaluations,
                        "settings": flags(vars(task.settings), self.settings),
                    }
                    begin = time.monotonic()
                    workspace.save_chunk(task.number, record, made.files)
                    progress.advance(len(task.items))
                    if deadline is not None:
                        saving = 0.0 if overlapping else time.monotonic() - begin
                        deadline.took(task.settings, made.seconds + saving)

    @contextmanager
    def _painting(
        self, job: Job, tasks: Iterator[Task], progress: Stage, reporter: Reporter
    ) -> Iterator[Iterator[tuple[Task, Made]]]:
        """Chunks as they are painted, here or in a process for each device."""
        number = len(job.photos)
        free_memory()  # the captioner's, and what measuring the speed took
        if len(self.placements) > 1:
            with Crew(
                self.checkpoint,
                self.placements,
                self.settings,
                job.settings,
                number,
                self.palette,
                reporter,
            ) as crew:
                yield crew.paint(tasks)
            return
        progress.step("loading the model")
        batches = self._batches or self.load(number, reporter)
        with ChunkPainter(batches, job.settings, self.palette) as painter:
            yield paint_here(painter, tasks, progress)


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
