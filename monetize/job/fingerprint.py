"""What a job's captions and paintings depend on, to tell what a resumed job may keep."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monetize.captioning.spec import CaptionerSpec
from monetize.images.palettes import PaletteSource
from monetize.job.job import Job
from monetize.painting.spec import PainterSpec
from monetize.settings import flag, own_names

# These do not change what is painted from a prompt and a seed, up to rounding.
NOT_PAINTED = {"PHOTOS", "OUT"} | {
    flag(name)
    for name in (
        *("seed", "shared_seed", "style", "style_file", "weight"),
        *("batch_size", "compile", "time_budget"),
    )
}


@dataclass(frozen=True)
class Fingerprint:
    """Settings under the flags that set them, as JSON values.

    `job` has those of the command as a whole, `painter` and `captioner` those that only paintings
    and captions depend on.
    """

    job: Mapping[str, Any]
    painter: Mapping[str, Any]
    captioner: Mapping[str, Any]

    @property
    def all(self) -> dict[str, Any]:
        """Everything, to compare with what a job was started with."""
        return {**self.job, **self.painter, **self.captioner}

    @property
    def painter_digest(self) -> str:
        """Tells whether two jobs paint alike."""
        return _digest(self.painter)

    @property
    def captioner_digest(self) -> str:
        """Tells whether two jobs caption alike."""
        return _digest(self.captioner)


def fingerprint(
    job: Job,
    painter: PainterSpec,
    captioner: CaptionerSpec | None,
    palette: PaletteSource | None,
) -> Fingerprint:
    """Collect the settings of a job."""
    values: dict[str, Any] = {"PHOTOS": str(job.folder.resolve())}
    if job.outputs.store:  # elsewhere the workspace is next to it
        values["OUT"] = str(job.outputs.name)
    for settings in (job.settings, painter.settings):
        values |= {flag(name): getattr(settings, name) for name in own_names(type(settings))}
    for name in ("recursive", "limit"):  # these choose photos, which may change
        del values[flag(name)]
    # A job that ran short of time, or was refused, may continue with more of it.
    del values["--allow-approximate"]
    values["--time-budget"] = "given" if job.settings.time_budget is not None else None
    values["--weight"] = [str(weight) for weight in painter.settings.weight]
    values["--lora"] = [lora.identity for lora in painter.checkpoint.loras]
    values["--embedding"] = [each.identity for each in painter.checkpoint.embeddings]
    values["--model"] = painter.checkpoint.identity
    values["--palette"] = palette.identity() if palette else None
    values["--device"] = str(painter.placement)
    values["--captions"] = str(job.captions_file) if job.captions_file else None
    not_painted = NOT_PAINTED | {"--captions"}
    return Fingerprint(
        {name: value for name, value in values.items() if name in not_painted},
        {name: value for name, value in values.items() if name not in not_painted},
        _captioner(captioner) if captioner else {},
    )


def _captioner(captioner: CaptionerSpec) -> dict[str, Any]:
    settings = captioner.settings
    values = {flag(name): getattr(settings, name) for name in own_names(type(settings))}
    return {**values, "--captioner": captioner.checkpoint.identity}


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
