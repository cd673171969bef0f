"""The second stage of a job: every prompt becomes a JPEG in the workspace, chunk by chunk."""

import time
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from monetize.chunks import chunks
from monetize.errors import StorageError
from monetize.image_sizes import FIT, pixels_of, shown
from monetize.images.fitting import same_shape
from monetize.images.palettes import PaletteSource
from monetize.job import executors
from monetize.job.deadline import Deadline
from monetize.job.executors.base import Chunk, LostChunk, PaintedChunk
from monetize.job.executors.chunk_painter import ChunkPainterSpec
from monetize.job.job import Job
from monetize.job.leases import Leases
from monetize.job.painting_store import (
    NewPainting,
    SavedPainting,
    SavedPaintings,
    chunk_name,
)
from monetize.job.plan import Item
from monetize.job.shared_parts import SharedParts
from monetize.job.speed import Speed
from monetize.job.workspace import POLL_SECONDS, Workspace
from monetize.messages import counted, name_some
from monetize.painting.batch_plan import BatchPlan
from monetize.painting.batch_sizes import chunk_size
from monetize.painting.batching import BatchPainter
from monetize.painting.request import PaintRequest
from monetize.painting.spec import PainterSpec
from monetize.painting.timesteps import num_steps
from monetize.progress import Reporter
from monetize.prompts.prompt import Prompt
from monetize.settings import flags

if TYPE_CHECKING:  # Ray is needed only where it is used
    from monetize.job.executors.ray.cluster import RayCluster

# How often damaged paintings are painted again before giving up on the disk.
MOST_REPAIRS = 2


@dataclass
class InFlight:
    """How many chunks were sent to the executor and have not come back."""

    count: int = 0


class PaintStage:
    """Paints the chunks of a job that the workspace does not have yet."""

    def __init__(
        self,
        job: Job,
        spec: PainterSpec,
        palette: PaletteSource | None,
        workspace: Workspace,
        reporter: Reporter,
        cluster: "RayCluster | None" = None,
    ) -> None:
        self.failed: dict[str, str] = {}  # why a photo was given up, by its key
        self.deadline: Deadline | None = None
        self._job = job
        self._spec = spec
        self._palette = palette
        self._workspace = workspace
        self._store = workspace.paintings
        self._reporter = reporter
        self._cluster = cluster
        self._chunk_size = chunk_size(spec)
        self._painter: BatchPainter | None = None
        self._shared: SharedParts | None = None

    def measure_speed(self, time_budget: float) -> None:
        """Measure how fast this machine paints, and set the deadline."""
        photos = self._job.photos
        self._reporter.say("Measuring how fast this machine paints, for --time-budget")
        begin = time.monotonic()
        self._painter = BatchPainter.load(
            self._spec,
            len(photos),
            self._reporter,
            self._batch_plan(),
            approximate=self._job.settings.allow_approximate,
        )
        loading = time.monotonic() - begin
        request = PaintRequest.of(self._spec.tokenizer, Prompt(""), 0)
        requests = [request] * min(self._chunk_size, len(photos))
        painter = self._painter
        speed = Speed.measure(
            lambda settings: painter.start(requests, settings).result(), self._spec.settings
        )
        missing = -(-max(0, len(photos) - self._store.count()) // self._chunk_size)
        devices = len(self._spec.on_every_device())
        self.deadline = Deadline(
            time_budget,
            speed,
            self._spec.settings,
            self._reporter,
            photos=len(photos),
            chunks=missing,
            begin=self._job.begin,
            devices=devices,
            # Where there are several, each loads a painter of its own.
            loading=loading if min(devices, missing) > 1 else 0.0,
            approximate=self._job.settings.allow_approximate,
        )

    def run(self, items: Sequence[Item]) -> Mapping[str, SavedPainting]:
        """Paint what is missing or damaged; returns every painting by its identity.

        Those that are given up are in `failed` instead.
        Raises StorageError if paintings keep getting damaged.
        """
        if self._workspace.leases is not None:
            return self._run_jointly(items, self._workspace.leases)
        for _ in range(1 + MOST_REPAIRS):
            saved = self._store.load()
            if saved.damaged:
                self._reporter.warn(
                    f"{counted(saved.damaged, 'damaged file')} in {self._store.folder}: "
                    "the paintings are painted again"
                )
            todo = self._todo(items, saved)
            if not todo:
                return saved.paintings
            self._paint(todo, len(items), iter(todo.items()))
        raise StorageError(f"{self._store.folder}: paintings keep getting damaged: check the disk")

    def _run_jointly(self, items: Sequence[Item], leases: Leases) -> Mapping[str, SavedPainting]:
        """Paint chunks that nobody else does, until all are done."""
        parts = self._shared = SharedParts("paint", leases)
        told = False
        while True:
            before = self._store.names()
            is_done = partial(self._is_done, before)
            saved = self._store.load()
            todo = self._todo(items, saved)
            if not todo:
                return saved.paintings
            claimed = parts.claimed(todo, is_done)
            if (first := next(claimed, None)) is not None:
                self._wait_for_batch_plan(leases)
                self._paint(todo, len(items), chain([first], claimed))
                continue
            if not told:
                told = True
                self._reporter.say("Others paint the rest; what they leave is taken over here")
            while self._store.names() == before and first is None:
                time.sleep(POLL_SECONDS)
                first = next(parts.claimed(todo, is_done), None)
            if first is not None:
                parts.release(first[0])  # for the next turn

    def _is_done(self, before: Set[str], number: int, items: Sequence[Item]) -> bool:
        """Whether a chunk is there that was not among those before."""
        name = chunk_name(number, [item.identity for item in items])
        return name not in before and self._store.has(name)

    def _wait_for_batch_plan(self, leases: Leases) -> None:
        """Wait until another has decided how to batch, unless that is for this process to do."""
        if self._spec.placement.device.type == "cuda":  # elsewhere nothing is measured
            while self._workspace.batch_plan is None and not leases.claim("batch-plan"):
                time.sleep(POLL_SECONDS)

    def _todo(self, items: Sequence[Item], saved: SavedPaintings) -> dict[int, Sequence[Item]]:
        """What to paint of each chunk of the plan that is not complete.

        A chunk that was painted as planned is painted again as a whole, since the last bits of a
        painting may depend on its batch; otherwise only what is missing.
        """
        item_of = {item.photo: item for item in items}
        todo = dict[int, Sequence[Item]]()
        for number, photos in enumerate(chunks(self._job.photos, self._chunk_size)):
            planned = [item_of[photo.key] for photo in photos if photo.key in item_of]
            missing = [
                item
                for item in planned
                if item.identity not in saved.paintings and item.photo not in self.failed
            ]
            if missing:
                as_planned = tuple(item.identity for item in planned) in saved.chunks
                todo[number] = planned if as_planned else missing
        return todo

    def _paint(
        self,
        todo: Mapping[int, Sequence[Item]],
        total: int,
        parts: Iterator[tuple[int, Sequence[Item]]],
    ) -> None:
        """Paint parts of what is to do of `total` paintings."""
        done = total - sum(map(len, todo.values()))
        if self.deadline is not None:
            self.deadline.plan(0, chunks=len(todo))
        spec = self._chunk_painter_spec()
        painter, self._painter = self._painter, None
        with (
            self._reporter.stage("Painting", total, "painting", done) as progress,
            executors.start(spec, len(todo), self._reporter, painter, self._cluster) as executor,
        ):
            self._say_size()
            in_flight = InFlight()
            sent = self._send(parts, len(todo), in_flight)
            for chunk, painted in executor.paint(sent, progress):
                in_flight.count -= 1
                if isinstance(painted, LostChunk):
                    self._give_up(chunk, painted.reason)
                    continue
                begin = time.monotonic()
                if executor.plan is not None:
                    self._workspace.keep_batch_plan(asdict(executor.plan))
                self._save(chunk, painted)
                progress.advance(len(chunk.items))
                if self.deadline is not None:
                    saving = 0.0 if executor.overlapping else time.monotonic() - begin
                    self.deadline.took(chunk.settings, painted.seconds + saving, painted.device)

    def _give_up(self, chunk: Chunk, reason: str) -> None:
        photos = [item.photo for item in chunk.items]
        self._reporter.warn(f"given up: {name_some(photos)}: {reason}")
        self.failed |= dict.fromkeys(photos, reason)

    def _batch_plan(self) -> BatchPlan | None:
        """The plan of a job that is continued; None for a new job."""
        plan = self._workspace.batch_plan
        return BatchPlan(**plan) if plan else None

    def _chunk_painter_spec(self) -> ChunkPainterSpec:
        palette = None
        if self._palette is not None:
            palette = self._palette.load(self._spec.settings.palette_strength, self._reporter)
        settings = self._job.settings
        return ChunkPainterSpec(
            self._spec,
            len(self._job.photos),
            settings.output_size,
            settings.jpeg_quality,
            palette,
            self._batch_plan(),
            settings.allow_approximate,
            settings.metadata,
        )

    def _send(
        self, parts: Iterator[tuple[int, Sequence[Item]]], count: int, in_flight: InFlight
    ) -> Iterator[Chunk]:
        for sent, (number, items) in enumerate(parts):
            settings = self._spec.settings
            if self.deadline is not None:
                settings = self.deadline.next(count - sent, in_flight.count)
            in_flight.count += 1
            yield Chunk(number, items, settings)

    def _save(self, chunk: Chunk, painted: PaintedChunk) -> None:
        settings = flags(vars(chunk.settings), self._spec.settings)
        paintings = [
            NewPainting(
                item.identity,
                item.file,
                painted.files[item.file],
                painted.evaluations,
                item.file in painted.flagged,
                settings,
            )
            for item in chunk.items
        ]
        self._store.save(chunk.number, paintings)
        if self._shared is not None:
            self._shared.release(chunk.number)

    def _say_size(self) -> None:
        settings, output_size = self._spec.settings, self._job.settings.output_size
        assert settings.size is not None  # the settings are complete
        painted = "in the shapes of the photos"
        if settings.size != FIT:
            painted = f"at {shown(pixels_of(settings.size))} pixels"
        resized = ""
        if output_size not in (FIT, settings.size):
            resized = (
                f", resized to {shown(pixels_of(output_size))} in the {self._job.outputs.kind}"
            )
        self._reporter.say(f"Painting {painted}{resized}")
        if settings.strength is not None:
            self._reporter.say(
                f"Starting from the photos, with {num_steps(settings)} of "
                f"{counted(settings.num_inference_steps or 0, 'step')}"
            )
        if cropped := self._cropped():
            self._reporter.say(
                f"{cropped} of another shape are cropped (--fit pad or squash keeps all of them)"
            )

    def _cropped(self) -> str:
        """What is cropped to fit another shape; empty if nothing is, or if --fit is given."""
        settings, output_size = self._spec.settings, self._job.settings.output_size
        assert settings.size is not None  # the settings are complete
        if settings.fit is not None:
            return ""
        if settings.size == FIT:
            return "" if output_size == FIT else "Paintings"
        if output_size != FIT and not same_shape(pixels_of(settings.size), pixels_of(output_size)):
            return "Paintings"
        return "" if settings.strength is None else "Photos"
