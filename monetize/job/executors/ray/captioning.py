"""Captions the photos of a job with captioners on a Ray cluster, an actor for each GPU."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from monetize.captioning.captioner import Captioner
from monetize.captioning.read_ahead import OnRead, of_readable, read_content
from monetize.captioning.spec import CaptionerSpec
from monetize.errors import PhotoError
from monetize.images.image_notes import ImageNotes
from monetize.images.photos import Photo
from monetize.job.executors.base import LostChunk
from monetize.job.executors.ray.cluster import RayCluster
from monetize.job.executors.ray.nodes import NodeFacts, Notes, SentCheckpoint
from monetize.job.executors.ray.painting import prepare_node
from monetize.job.executors.ray.pool import RayPool
from monetize.job.executors.ray.work import Answer, Work
from monetize.progress import Reporter, Stage

# Photos are sent by the driver, which more captioners than these would wait for.
MOST_CAPTIONERS = 32

Made = tuple[Sequence[Photo], dict[str, str], dict[str, str]]
Readable = Mapping[str, bytes | str]


@dataclass(frozen=True)
class CaptionChunk:
    """Photos that are captioned as one batch."""

    number: int
    photos: Sequence[Photo]


def caption_on_cluster(
    cluster: RayCluster,
    spec: CaptionerSpec,
    batches: Sequence[Sequence[Photo]],
    notes: ImageNotes,
    progress: Stage,
    reporter: Reporter,
    on_read: OnRead | None = None,
) -> Iterator[Made]:
    """Caption batches in any order: as `of_readable` does, but elsewhere."""
    needs = cluster.needs(spec.placement)
    checkpoint = cluster.send(spec.checkpoint)
    work = Work[CaptionChunk](
        CaptionWorker,
        needs,
        spec.placement.device.type,
        lambda _: (spec, checkpoint, int(needs["num_cpus"])),
        lambda chunk: (list(chunk.photos), _read(chunk.photos, on_read)),
        "captioner",
        "caption",
    )
    pool = RayPool(cluster, work, len(batches), reporter, decision=(), most=MOST_CAPTIONERS)
    chunks = (CaptionChunk(number, photos) for number, photos in enumerate(batches))
    try:
        for chunk, made in pool.run(chunks, progress):
            if isinstance(made, LostChunk):
                yield chunk.photos, {}, {photo.key: made.reason for photo in chunk.photos}
                continue
            for key, note in made.notes:
                notes.add(key, note)
            yield chunk.photos, made.captions, made.reasons
    finally:
        pool.close()


@dataclass(frozen=True)
class Captions:
    """{photo: caption}, {photo: why it has none}, and (photo, note) of what was ignored."""

    captions: dict[str, str]
    reasons: dict[str, str]
    notes: list[tuple[str, str]]


class CaptionWorker:
    """A captioner on a node of the cluster; Ray calls it from two threads."""

    def __init__(self) -> None:
        self._notes = Notes()
        self._captioner: Captioner | None = None

    def hello(self, device_type: str) -> NodeFacts:
        """Tell about the node."""
        return NodeFacts.here(device_type)

    def load(self, spec: CaptionerSpec, checkpoint: SentCheckpoint, threads: int) -> Answer:
        """Load the captioner; raises CheckpointError and UsageError."""
        placement = prepare_node(spec.placement, threads)
        found = checkpoint.find(placement, self._notes)
        self._captioner = Captioner.load(replace(spec, checkpoint=found, placement=placement))
        return Answer((), self._notes.take())

    def work(self, photos: Sequence[Photo], contents: Readable) -> Answer:
        """Caption photos with these contents, or with the reasons why they cannot be read."""
        assert self._captioner is not None  # loaded
        notes = _NoteList()
        [(_, captions, reasons)] = of_readable(
            self._captioner, [photos], self._captioner.caption, notes, contents
        )
        return Answer(Captions(captions, reasons, notes.notes), self._notes.take())


class _NoteList(ImageNotes):
    """Keeps notes in order, to be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[tuple[str, str]] = []

    def add(self, name: str, note: str) -> None:
        self.notes.append((name, note))


def _read(photos: Sequence[Photo], on_read: OnRead | None) -> Readable:
    """The content of each photo, or the reason why it cannot be read; raises ReadError."""
    contents: dict[str, bytes | str] = {}
    for photo in photos:
        try:
            contents[photo.key] = read_content(photo, on_read)
        except PhotoError as error:
            contents[photo.key] = str(error)
    return contents
