"""Where the time of a whole `monetize run` goes."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain, cycle, islice
from pathlib import Path
from threading import Lock
from typing import Any
from unittest.mock import patch

import diffusers
import torch
import transformers
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from transformers import CLIPTextModel, VisionEncoderDecoderModel

from benchmark.measure import peak_memory
from monetize.job import publication, run
from monetize.job.caption_stage import CaptionStage
from monetize.job.executors import chunk_painter
from monetize.job.job import prepare
from monetize.job.outputs import Outputs
from monetize.job.painting_store import PaintingStore
from monetize.painting.batching import BatchPainter
from monetize.painting.painter import Painter
from monetize.painting.painting import PendingPaintings
from monetize.progress import Reporter
from monetize.settings import RunSettings

MODEL_CALLS = (
    (VisionEncoderDecoderModel, "generate"),
    (UNet2DConditionModel, "forward"),
    (AutoencoderKL, "decode"),
    (AutoencoderTiny, "decode"),
    (CLIPTextModel, "forward"),
)
STAGES: dict[str, list[tuple[Any, str]]] = {
    "caption": [(CaptionStage, "run")],
    "paint": [(Painter, "start"), (PendingPaintings, "result")],
    "encode": [(chunk_painter, "to_jpeg")],
    "save": [(PaintingStore, "save")],
    "pack": [(publication, "pack")],
    "load": [(BatchPainter, "load")],
}


class Stopwatch:
    """The seconds during which at least one of several functions was running."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.seconds = 0.0
        self._clock = clock
        self._running = 0
        self._lock = Lock()  # another thread waits for paintings and encodes them

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, timed."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            self._count(1)
            try:
                return function(*args, **kwargs)
            finally:
                self._count(-1)

        return timed

    def _count(self, change: int) -> None:
        with self._lock:
            sign = (self._running + change > 0) - (self._running > 0)
            self.seconds -= sign * self._clock()
            self._running += change


@contextmanager
def _watched(places: Any, clock: Callable[[], float] = time.perf_counter) -> Iterator[Stopwatch]:
    watch = Stopwatch(clock)
    with ExitStack() as stack:
        for owner, name in places:
            stack.enter_context(patch.object(owner, name, watch.around(getattr(owner, name))))
        yield watch


def split(
    photos: Path, count: int, work: Path, settings: RunSettings, threads: int | None
) -> dict[str, Any]:
    """Run a job over `count` links to the photos; returns the seconds of its parts, and CPU time.

    On CUDA, painting, encoding and saving overlap, so the parts add up to more than the whole;
    `idle` is when the device has nothing to caption or paint, `rest` when no stage is running.
    Call it in a process of its own, so that the peak memory is the job's.
    """
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()
    if threads is not None:
        torch.set_num_threads(threads)
    folder = work / "photos"
    folder.mkdir()
    some = sorted(path for path in photos.iterdir() if path.suffix == ".jpg")
    for i, path in enumerate(islice(cycle(some), count)):
        (folder / f"{i:05d}.jpg").symlink_to(path.resolve())
    begin = time.perf_counter(), time.process_time()
    with ExitStack() as stack:
        watches = {name: stack.enter_context(_watched(of)) for name, of in STAGES.items()}
        busy = stack.enter_context(_watched([*STAGES["caption"], *STAGES["paint"]]))
        any_stage = stack.enter_context(_watched(chain(*STAGES.values())))
        # Only the time of their thread, because others read and encode meanwhile.
        models = stack.enter_context(_watched(MODEL_CALLS, time.thread_time))
        run.run(prepare(folder, Outputs(work / "images.zip"), settings), Reporter())
    wall, processor = time.perf_counter() - begin[0], time.process_time() - begin[1]
    seconds = {name: watch.seconds for name, watch in watches.items()}
    seconds |= {"idle": wall - busy.seconds, "rest": wall - any_stage.seconds}
    return {
        "photos": count,
        "seconds": {"whole": wall, **seconds},
        "processor_ms_a_photo": 1000 * processor / count,
        # With more threads, the models' threads cannot be distinguished from others.
        "processor_ms_a_photo_outside_models": (
            1000 * (processor - models.seconds) / count if threads == 1 else None
        ),
        "peak_memory_bytes": peak_memory(),
    }
