"""The first stage of a job: every photo gets a line in captions.csv."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from monetize.captioning.captioner import Captioner
from monetize.captioning.read_ahead import of_readable
from monetize.captioning.spec import CaptionerSpec
from monetize.chunks import chunks
from monetize.images.image_notes import ImageNotes
from monetize.images.photos import Photo
from monetize.images.reading import FileVersion, for_each
from monetize.job.caption_log import CaptionedPhoto, PhotoRecord
from monetize.job.job import Job
from monetize.job.leases import Leases
from monetize.job.shared_parts import SharedParts
from monetize.job.workspace import Workspace
from monetize.job.workspace_access import POLL_SECONDS
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
        self._captioner: Captioner | None = None
        self._records: dict[str, PhotoRecord] = {}  # of photos that were read

    def run(self, on_estimate: Callable[[float], None]) -> Captioned:
        """Caption what is missing; `on_estimate` receives how many seconds the rest will take."""
        log = self._workspace.caption_log.load(self._digest)
        captions = self._begun_captions(log)
        records = {key: entry.record for key, entry in log.items()}
        if self._workspace.leases is not None:
            return self._run_jointly(self._workspace.leases, captions, records)
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
                new = self._entries(chunk, made, captions)
                captions |= {entry.photo: entry.caption for entry in new}
                records |= {entry.photo: entry.record for entry in new}
                unreadable |= {key: why for key, why in reasons.items() if key not in captions}
                self._workspace.caption_log.append(new)
                self._workspace.save_captions(captions)
                progress.advance(len(chunk))
                on_estimate((time.monotonic() - begin) / number * (len(todo) - number))
        notes.warn(self._reporter)
        return Captioned(captions, unreadable, records)

    def _entries(
        self, chunk: Sequence[Photo], made: Mapping[str, str], captions: Mapping[str, str]
    ) -> list[CaptionedPhoto]:
        """The entries of a chunk's photos that have no caption yet."""
        entries = [
            CaptionedPhoto(key, self._records[key], caption, self._digest)
            for key, caption in made.items()
            if key not in captions
        ]
        for photo in chunk:
            self._records.pop(photo.key, None)
        return entries

    def _run_jointly(
        self, leases: Leases, begun: Mapping[str, str], records: Mapping[str, PhotoRecord]
    ) -> Captioned:
        """Caption chunks that nobody else does, until all are done."""
        shared, parts = self._workspace.shared_captions, SharedParts("caption", leases)
        size = self._spec.settings.caption_batch_size
        missing = {
            number: chunk
            for number, chunk in enumerate(chunks(self._job.photos, size))
            if any(photo.key not in begun for photo in chunk)
        }
        total = sum(map(len, missing.values()))
        with self._reporter.stage("Captioning", total, "photo") as progress:
            while todo := {n: missing[n] for n in missing if not shared.has(n)}:
                claimed = parts.claimed(todo, lambda number, _: shared.has(number))
                first = next(claimed, None)
                if first is None:
                    progress.step("others caption the rest")
                    time.sleep(POLL_SECONDS)
                    continue
                self._caption_claimed(chain([first], claimed), parts, begun, progress)
        entries, unreadable = shared.load()
        captions = {**{entry.photo: entry.caption for entry in entries}, **begun}
        self._workspace.save_captions(captions)
        return Captioned(
            captions,
            {key: why for key, why in unreadable.items() if key not in captions},
            {**records, **{entry.photo: entry.record for entry in entries}},
        )

    def _caption_claimed(
        self,
        claimed: Iterator[tuple[int, Sequence[Photo]]],
        parts: SharedParts,
        begun: Mapping[str, str],
        progress: Stage,
    ) -> None:
        numbers = deque[int]()

        def batches() -> Iterator[Sequence[Photo]]:
            for number, chunk in claimed:
                numbers.append(number)
                yield chunk

        notes = ImageNotes()
        for chunk, made, reasons in self._caption(batches(), notes, progress):
            number = numbers.popleft()
            entries = self._entries(chunk, made, begun)
            self._workspace.shared_captions.save(number, entries, reasons)
            parts.release(number)
            progress.advance(len(chunk))
        notes.warn(self._reporter)

    def _caption(
        self, todo: Iterable[Sequence[Photo]], notes: ImageNotes, progress: Stage
    ) -> Iterator[tuple[Sequence[Photo], dict[str, str], dict[str, str]]]:
        """Yield each chunk as it is done, as `of_readable` does."""
        if self._cluster is not None:
            from monetize.job.executors.ray.captioning import caption_on_cluster

            return caption_on_cluster(
                self._cluster,
                self._spec,
                list(todo),
                notes,
                progress,
                self._reporter,
                self._keep_record,
            )
        progress.step("loading the model")
        captioner = self._captioner = self._captioner or Captioner.load(self._spec)
        return of_readable(captioner, todo, captioner.caption, notes, on_read=self._keep_record)

    def _keep_record(self, photo: Photo, data: bytes, version: FileVersion) -> None:
        self._records[photo.key] = PhotoRecord.of(data, version)

    def _begun_captions(self, log: Mapping[str, CaptionedPhoto]) -> dict[str, str]:
        """The captions to keep: the given ones, or earlier ones with their edits."""
        logged = {key: entry.caption for key, entry in log.items()}
        edited = self._workspace.captions()
        captions = logged if edited is None else _without_emptied(edited, logged)
        different = [key for key in captions if key in logged and captions[key] != logged[key]]
        if different:
            self._reporter.say(
                f"{counted(len(different), 'edited caption')} kept from "
                f"{self._workspace.captions_file}: {name_some(different)}"
            )
        replaced = self._replaced(log)
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

    def _replaced(self, log: Mapping[str, CaptionedPhoto]) -> list[str]:
        """The captioned photos whose files have another content now."""
        known = {photo.path: photo.key for photo in self._job.photos if photo.key in log}
        same = for_each(list(known), lambda path: log[known[path]].record.describes(path))
        return [key for key, is_same in zip(known.values(), same, strict=True) if not is_same]


def _without_emptied(edited: Mapping[str, str], logged: Mapping[str, str]) -> dict[str, str]:
    """Leave out captions that were emptied, so that their photos are captioned again."""
    return {key: text for key, text in edited.items() if text or not logged.get(key)}
