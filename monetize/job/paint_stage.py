"""The second stage of a job: every prompt becomes a JPEG in the workspace, chunk by chunk."""

import time
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from monetize.chunks import chunks
from monetize.errors import StorageError
from monetize.images.palettes import PaletteSource
from monetize.job import executors
from monetize.job.deadline import Deadline
from monetize.job.executor_run import ExecutorRun
from monetize.job.executors.chunk_painter import ChunkPainterSpec
from monetize.job.job import Job
from monetize.job.leases import Leases
from monetize.job.painting_store import SavedPainting, SavedPaintings, chunk_name
from monetize.job.plan import Item
from monetize.job.shared_parts import SharedParts
from monetize.job.size_notes import say_sizes
from monetize.job.time_budget import start_deadline
from monetize.job.workspace import Workspace
from monetize.job.workspace_access import POLL_SECONDS
from monetize.messages import counted
from monetize.painting.batch_plan import BatchPlan
from monetize.painting.batch_sizes import chunk_size
from monetize.painting.batching import BatchPainter
from monetize.painting.spec import PainterSpec
from monetize.progress import Reporter

if TYPE_CHECKING:  # Ray is needed only where it is used
    from monetize.job.executors.ray.cluster import RayCluster

# How often damaged paintings are painted again before giving up on the disk.
MAX_REPAIRS = 2


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
        plan, painted = self._batch_plan(), self._store.count()
        self.deadline, self._painter = start_deadline(
            time_budget, self._job, self._spec, plan, painted, self._reporter
        )

    def run(self, items: Sequence[Item]) -> Mapping[str, SavedPainting]:
        """Paint what is missing or damaged; returns every painting by its identity.

        Those that are given up are in `failed` instead.
        Raises StorageError if paintings keep getting damaged.
        """
        if self._workspace.leases is not None:
            return self._run_jointly(items, self._workspace.leases)
        for _ in range(1 + MAX_REPAIRS):
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
        """Paint the chunks that no other process paints, until all are done."""
        parts = self._shared = SharedParts("paint", leases)
        announced = False
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
            if not announced:
                announced = True
                self._reporter.say("Others paint the rest; what they leave is taken over here")
            while self._store.names() == before and first is None:
                time.sleep(POLL_SECONDS)
                first = next(parts.claimed(todo, is_done), None)
            if first is not None:
                parts.release(first[0])  # for the next turn

    def _is_done(self, before: Set[str], number: int, items: Sequence[Item]) -> bool:
        """Whether a chunk has been saved that was not among those before."""
        name = chunk_name(number, [item.identity for item in items])
        return name not in before and self._store.has(name)

    def _wait_for_batch_plan(self, leases: Leases) -> None:
        """Wait until another process has decided how to batch, unless this one is to decide."""
        if self._spec.placement.device.type == "cuda":  # elsewhere nothing is measured
            while self._workspace.record.batch_plan is None and not leases.claim("batch-plan"):
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
        """Paint `parts` of `todo`, which is what is left of `total` paintings."""
        done = total - sum(map(len, todo.values()))
        if self.deadline is not None:
            self.deadline.plan(0, chunks=len(todo))
        spec = self._chunk_painter_spec()
        painter, self._painter = self._painter, None
        with (
            self._reporter.stage("Painting", total, "painting", done) as progress,
            executors.start(spec, len(todo), self._reporter, painter, self._cluster) as executor,
        ):
            say_sizes(
                self._spec.settings, self._job.settings, self._job.outputs.kind, self._reporter
            )
            run = ExecutorRun(
                executor, self._spec.settings, self._workspace, self.deadline, self._reporter
            )
            for number in run.paint(parts, len(todo), progress):
                if self._shared is not None:
                    self._shared.release(number)
        self.failed |= run.failed

    def _batch_plan(self) -> BatchPlan | None:
        """The plan of a job that is continued; None for a new job."""
        plan = self._workspace.record.batch_plan
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
