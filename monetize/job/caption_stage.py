"""The first stage of a job: every photo gets a line in captions.csv."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from monetize.captioning.captioner import Captioner
from monetize.captioning.read_ahead import of_readable
from monetize.checkpoints.layout import CAPTIONER
from monetize.checkpoints.resolve import resolve, resolve_auto
from monetize.chunks import chunks
from monetize.devices import place
from monetize.errors import InputError
from monetize.job.job import Job
from monetize.job.workspace import Workspace
from monetize.messages import name_some
from monetize.progress import Reporter
from monetize.settings import CaptionSettings, DeviceSettings

T = TypeVar("T")


class CaptionStage:
    """Finds the captioner at once, with CheckpointError if it cannot be had; loads it to run."""

    def __init__(
        self, settings: CaptionSettings, device: DeviceSettings, reporter: Reporter
    ) -> None:
        self.placement = place(device)
        name, self.why = resolve_auto(
            settings.captioner, CAPTIONER.flag, self.placement.device.type
        )
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


def none_readable(reasons: Mapping[str, str]) -> InputError:
    """The error of a job whose photos all lack a caption, with the first reasons."""
    texts = (f"{photo}: {why}" for photo, why in reasons.items())
    return InputError(f"None of the photos can be read: {name_some(texts)}")
