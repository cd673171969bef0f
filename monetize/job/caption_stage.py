"""The first stage of a job: every photo gets a line in captions.csv."""

import time
from collections.abc import Callable

from monetize.captioning.captioner import Captioner
from monetize.captioning.read_ahead import of_readable
from monetize.captioning.spec import CaptionerSpec
from monetize.chunks import chunks
from monetize.images.image_notes import ImageNotes
from monetize.job.job import Job
from monetize.job.workspace import Workspace
from monetize.progress import Reporter


def caption_photos(
    job: Job,
    spec: CaptionerSpec,
    workspace: Workspace,
    reporter: Reporter,
    on_estimate: Callable[[float], None],
) -> tuple[dict[str, str], dict[str, str]]:
    """Caption what captions.csv is missing; returns {photo: caption} and {photo: why not}.

    `on_estimate` is told after each chunk how many seconds the others will take.
    """
    captions, unreadable = workspace.captions(), dict[str, str]()
    todo = [
        chunk
        for chunk in chunks(job.photos, spec.settings.caption_batch_size)
        if any(photo.key not in captions for photo in chunk)
    ]
    if not todo:
        return captions, unreadable
    total = len(job.photos)
    done = total - sum(map(len, todo))
    with reporter.stage("Captioning", total, "photo", done) as progress:
        progress.step("loading the model")
        captioner = Captioner.load(spec)
        begin = time.monotonic()
        # All of a chunk, even photos that have a caption, so that the batch is the one of an
        # uninterrupted job; an existing caption, perhaps edited, is kept.
        notes = ImageNotes()
        captioned = of_readable(captioner, todo, captioner.caption, notes)
        for number, (chunk, made, reasons) in enumerate(captioned, 1):
            captions = {**made, **captions}
            unreadable.update({k: why for k, why in reasons.items() if k not in captions})
            workspace.save_captions(captions)
            progress.advance(len(chunk))
            on_estimate((time.monotonic() - begin) / number * (len(todo) - number))
    notes.warn(reporter)
    return captions, unreadable
