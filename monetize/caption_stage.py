"""The first stage of a job: every photo gets a line in captions.csv."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from PIL import Image

from monetize.captioner import Captioner
from monetize.checkpoints import choose, resolve
from monetize.errors import InputError, PhotoError, name_some
from monetize.job import Job, chunks
from monetize.layouts import CAPTIONER
from monetize.models import place
from monetize.photos import Photo, open_photo
from monetize.progress import Reporter
from monetize.settings import CaptionSettings, DeviceSettings
from monetize.workspace import Workspace

T = TypeVar("T")


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
            for number, chunk in enumerate(todo, 1):
                # All of the chunk, also what has its caption, so that the batch is the one of
                # an uninterrupted job; a caption that stands, perhaps edited, is kept.
                made, reasons = caption_photos(captioner, chunk)
                captions = {**made, **captions}
                unreadable.update({k: why for k, why in reasons.items() if k not in captions})
                workspace.save_captions(captions)
                progress.advance(len(chunk))
                foresee((time.monotonic() - begin) / number * (len(todo) - number))
        return captions, unreadable


def caption_photos(
    captioner: Captioner, photos: Sequence[Photo]
) -> tuple[dict[str, str], dict[str, str]]:
    """Caption photos as one batch; returns {photo: caption} and {photo: why it has none}."""
    return of_readable(photos, captioner.caption)


def of_readable(
    photos: Sequence[Photo], make: Callable[[Iterator[Image.Image]], Sequence[T]]
) -> tuple[dict[str, T], dict[str, str]]:
    """Make something of the photos that can be read; returns {photo: it} and {photo: why not}."""
    readable: list[str] = []
    reasons: dict[str, str] = {}

    def opened() -> Iterator[Image.Image]:
        for photo in photos:
            try:
                image = open_photo(photo.path)
            except PhotoError as error:
                reasons[photo.key] = str(error)
            else:
                readable.append(photo.key)
                yield image

    made = make(opened())
    return dict(zip(readable, made, strict=True)), reasons


def none_readable(reasons: Mapping[str, str]) -> InputError:
    """The error of a job whose photos all lack a caption, with the first reasons."""
    texts = (f"{photo}: {why}" for photo, why in reasons.items())
    return InputError(f"None of the photos can be read: {name_some(texts)}")
