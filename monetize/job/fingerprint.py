"""Everything that a job's paintings depend on, to tell whether a begun job can be resumed."""

from typing import Any

from monetize.captioning.spec import CaptionerSpec
from monetize.images.palettes import PaletteSource
from monetize.job.job import Job
from monetize.job.workspace import PHOTOS
from monetize.painting.spec import PainterSpec
from monetize.settings import flag, own_names


def fingerprint(
    job: Job,
    painter: PainterSpec,
    captioner: CaptionerSpec | None,
    palette: PaletteSource | None,
) -> dict[str, Any]:
    """Return values for JSON, under the flags that set them."""
    values: dict[str, Any] = {"PHOTOS": str(job.folder.resolve())}
    for settings in (job.settings, painter.settings):
        for name in own_names(type(settings)):
            values[flag(name)] = getattr(settings, name)
    for name in ("recursive", "limit"):  # these show in the list of photos
        del values[flag(name)]
    # A job that ran short of time, or was refused, may continue with more of it.
    del values["--allow-approximate"]
    values["--time-budget"] = "given" if job.settings.time_budget is not None else None
    values["--weight"] = [str(weight) for weight in painter.settings.weight]
    values["--model"] = painter.checkpoint.identity
    values["--palette"] = palette.identity() if palette else None
    values["--device"] = str(painter.placement)
    values["--captions"] = str(job.captions_file) if job.captions_file else None
    if captioner:
        for name in own_names(type(captioner.settings)):
            values[flag(name)] = getattr(captioner.settings, name)
        values["--captioner"] = captioner.checkpoint.identity
    values[PHOTOS] = [photo.key for photo in job.photos]
    return values
