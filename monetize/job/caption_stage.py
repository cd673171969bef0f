"""The first stage of a job: every photo gets a line in captions.csv."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

from torch import Tensor

from monetize.captioning.captioner import Captioner
from monetize.checkpoints.layout import CAPTIONER
from monetize.checkpoints.loading import place
from monetize.checkpoints.resolve import choose, resolve
from monetize.errors import InputError, PhotoError, name_some
from monetize.images.photos import Photo, open_photo
from monetize.job.job import Job, chunks
from monetize.job.workspace import Workspace
from monetize.progress import Reporter
from monetize.settings import CaptionSettings, DeviceSettings

T = TypeVar("T")
MOST_READERS = 4  # a large photo takes hundreds of megabytes while it is decoded


class CaptionStage:
    """Finds the captioner at once, with CheckpointError if it cannot be had; loads it to run."""

    def __init__(
        self, settings: CaptionSettings, device: DeviceSettings, reporter: Reporter
    ) -> None:
        self.placement = place(device)
        name, self.why = choose(settings.captioner, CAPTIONER.flag, self.placement.device.type)
        self.checkpoint = resolve(name, CAPTIONER, offline=device.offline, say=reporter.say)
        self.settings = replace(settings, captioner=name)

    def __str__(self) -> str:
        return f"{self.checkpoint.name} on {self.placement}{self.why}"

    def load(self) -> Captioner:
        """Load the model."""
        return Captioner.load(self.checkpoint, self.placement, self.settings)

    def run(
        self,
        job: Job,
        workspace: Workspace,
        reporter: Reporter,
        foresee: Callable[[float], None] = lambda _seconds: None,
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Caption what captions.csv lacks; returns {photo: caption} and {photo: why not}.

        `foresee` is told after each chunk how many seconds the others will take.
        """
        captions, unreadable = workspace.captions(), dict[str, str]()
        todo = [
            chunk
            for chunk in chunks(job.photos, self.settings.caption_batch_size)
            if any(photo.key not in captions for photo in chunk)
        ]
        if not todo:
            return captions, unreadable
        total = len(job.photos)
        done = total - sum(map(len, todo))
        with reporter.stage("Captioning", total, "photo", done) as progress:
            progress.step("loading the model")
            captioner = self.load()
            begin = time.monotonic()
            # All of a chunk, also what has its caption, so that the batch is the one of an
            # uninterrupted job; a caption that stands, perhaps edited, is kept.
            captioned = of_readable(captioner, todo, captioner.caption)
            for number, (chunk, made, reasons) in enumerate(captioned, 1):
                captions = {**made, **captions}
                unreadable.update({k: why for k, why in reasons.items() if k not in captions})
                workspace.save_captions(captions)
                progress.advance(len(chunk))
                foresee((time.monotonic() - begin) / number * (len(todo) - number))
        return captions, unreadable


def of_readable(
    captioner: Captioner,
    batches: Iterable[Sequence[Photo]],
    make: Callable[[Sequence[Tensor]], Sequence[T]],
) -> Iterator[tuple[Sequence[Photo], dict[str, T], dict[str, str]]]:
    """Make captions, or looks, of the photos that can be read; the next batch is read meanwhile.

    Yields each batch with {photo: what was made of it} and {photo: why it cannot be read}.
    """
    threads = ThreadPoolExecutor(min(MOST_READERS, os.cpu_count() or 1))

    def read(photo: Photo) -> Tensor:
        return captioner.prepare(open_photo(photo.path))

    ahead = deque[tuple[Sequence[Photo], list[Future[Tensor]]]]()
    try:
        for batch in batches:
            ahead.append((batch, [threads.submit(read, photo) for photo in batch]))
            if len(ahead) > 1:
                yield _made(*ahead.popleft(), make)
        while ahead:
            yield _made(*ahead.popleft(), make)
    finally:
        threads.shutdown(cancel_futures=True)


def _made(
    batch: Sequence[Photo],
    reading: Sequence[Future[Tensor]],
    make: Callable[[Sequence[Tensor]], Sequence[T]],
) -> tuple[Sequence[Photo], dict[str, T], dict[str, str]]:
    prepared: dict[str, Tensor] = {}
    reasons: dict[str, str] = {}
    for photo, read in zip(batch, reading, strict=True):
        try:
            prepared[photo.key] = read.result()
        except PhotoError as error:
            reasons[photo.key] = str(error)
    made = make(list(prepared.values()))
    return batch, dict(zip(prepared, made, strict=True)), reasons


def none_readable(reasons: Mapping[str, str]) -> InputError:
    """The error of a job whose photos all lack a caption, with the first reasons."""
    texts = (f"{photo}: {why}" for photo, why in reasons.items())
    return InputError(f"None of the photos can be read: {name_some(texts)}")
