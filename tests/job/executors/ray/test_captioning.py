"""The captioner of a node, called as Ray calls it."""

from pathlib import Path

from helpers import Listener, Tiny

from monetize.captioning.captioner import Captioner
from monetize.captioning.read_ahead import of_readable
from monetize.captioning.spec import CaptionerSpec
from monetize.images.photos import find
from monetize.images.reading import read_file
from monetize.job.executors.ray.captioning import CaptionWorker
from monetize.job.executors.ray.nodes import SentCheckpoint
from monetize.settings import CaptionSettings, DeviceSettings


def test_photos_are_captioned_from_their_content_alone(
    tiny: Tiny, photos: Path, tmp_path: Path
) -> None:
    settings = CaptionSettings(captioner=str(tiny.captioner))
    spec = CaptionerSpec.resolve(settings, DeviceSettings(device="cpu"), Listener())
    batch = find(photos).photos
    captioner = Captioner.load(spec)
    [(_, expected, _)] = of_readable(captioner, [batch[1:]], captioner.caption)

    contents: dict[str, bytes | str] = {photo.key: read_file(photo.path) for photo in batch}
    contents["photo0.jpg"] = "permission denied"
    photos.rename(tmp_path / "gone")
    worker = CaptionWorker()
    worker.load(spec, SentCheckpoint(spec.checkpoint, spec.checkpoint.revision), 1)
    made = worker.work(batch, contents).result
    assert made.captions == expected
    assert made.reasons == {"photo0.jpg": "permission denied"}
