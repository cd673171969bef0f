"""The first stage of a job: every photo gets a line in captions.csv."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monetize.captioning.captioner import Captioner
from monetize.captioning.read_ahead import of_readable
from monetize.captioning.spec import CaptionerSpec
from monetize.chunks import chunks
from monetize.images.image_notes import ImageNotes
from monetize.images.photos import Photo
from monetize.job.caption_log import CaptionedPhoto, PhotoRecord
from monetize.job.job import Job
from monetize.job.workspace import Workspace
from monetize.messages import counted, name_some
from monetize.progress import Reporter, Stage

if TYPE_CHECKING:  # Ray is needed only where it is used
    from monetize.job.executors.ray.cluster import RayCluster


@dataclass(frozen=True)
class Captioned:
    """{photo: caption}, {photo: why it has none}, and the photos' records as far as known."""

    captions: Mapping[str, str]
    unreadable: Mapping[str, str]
    records: Mapping[str, PhotoRecord]


class CaptionStage:
    """Captions the photos that have no caption yet, and those that changed since they had one."""

    def __init__(
        self,
        job: Job,
        spec: CaptionerSpec,
        digest: str,
        workspace: Workspace,
        reporter: Reporter,
        cluster: "RayCluster | None" = None,
    ) -> None:
        """`digest` identifies the captioner and its settings."""
        self._job = job
        self._spec = spec
        self._digest = digest
        self._workspace = workspace
        self._reporter = reporter
        self._cluster = cluster

    def run(self, on_estimate: Callable[[float], None]) -> Captioned:
        """Caption what is missing; `on_estimate` receives how many seconds the rest will take."""
        log = self._workspace.caption_log.load(self._digest)
        captions = self._begun_captions(log)
        records = {key: entry.record for key, entry in log.items()}
        unreadable = dict[str, str]()
        todo = [
            chunk
            for chunk in chunks(self._job.photos, self._spec.settings.caption_batch_size)
            if any(photo.key not in captions for photo in chunk)
        ]
        if not todo:
            self._workspace.save_captions(captions)
            return Captioned(captions, unreadable, records)
        total = len(self._job.photos)
        done = total - sum(map(len, todo))
        with self._reporter.stage("Captioning", total, "photo", done) as progress:
            notes = ImageNotes()
            # All of a chunk, even photos that have a caption, so that the batch is the one of an
            # uninterrupted job; an existing caption, perhaps edited, is kept.
            captioned = self._caption(todo, notes, progress)
            begin = time.monotonic()
            for number, (chunk, made, reasons) in enumerate(captioned, 1):
                paths = {photo.key: photo.path for photo in chunk}
                new = [
                    CaptionedPhoto(key, PhotoRecord.of(paths[key]), caption, self._digest)
                    for key, caption in made.items()
                    if key not in captions
                ]
                captions |= {entry.photo: entry.caption for entry in new}
                records |= {entry.photo: entry.record for entry in new}
                unreadable |= {key: why for key, why in reasons.items() if key not in captions}
                self._workspace.caption_log.append(new)
                self._workspace.save_captions(captions)
                progress.advance(len(chunk))
                on_estimate((time.monotonic() - begin) / number * (len(todo) - number))
        notes.warn(self._reporter)
        return Captioned(captions, unreadable, records)

    def _caption(
        self, todo: Sequence[Sequence[Photo]], notes: ImageNotes, progress: Stage
    ) -> Iterator[tuple[Sequence[Photo], dict[str, str], dict[str, str]]]:
        """Yield each chunk as it is done, as `of_readable` does."""
        if self._cluster is not None:
            from monetize.job.executors.ray.captioning import caption_on_cluster

            return caption_on_cluster(
                self._cluster, self._spec, todo, notes, progress, self._reporter
            )
        progress.step("loading the model")
        captioner = Captioner.load(self._spec)
        return of_readable(captioner, todo, captioner.caption, notes)

    def _begun_captions(self, log: Mapping[str, CaptionedPhoto]) -> dict[str, str]:
        """The captions to keep: the given ones, or earlier ones with their edits."""
        logged = {key: entry.caption for key, entry in log.items()}
        edited = self._workspace.captions()
        captions = logged if edited is None else edited
        different = [key for key in captions if key in logged and captions[key] != logged[key]]
        if different:
            self._reporter.say(
                f"{counted(len(different), 'caption')} in {self._workspace.captions_file} "
                f"differ from the captioner's and are kept: {name_some(different)}"
            )
        replaced = [
            photo.key
            for photo in self._job.photos
            if photo.key in log and not log[photo.key].record.describes(photo.path)
        ]
        if replaced:
            self._reporter.warn(
                f"{counted(len(replaced), 'photo')} changed since being captioned, and will be "
                f"captioned again: {name_some(replaced)}"
            )
        given = self._job.given_captions.captions if self._job.given_captions else {}
        return {
            **{key: text for key, text in captions.items() if key not in set(replaced)},
            **given,
        }
