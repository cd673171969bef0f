"""Which captioner, where, and with which settings: everything needed to load one."""

from dataclasses import dataclass, replace

from monetize.checkpoints.image_text_models import is_image_text
from monetize.checkpoints.layout import CAPTIONER
from monetize.checkpoints.resolve import Checkpoint, resolve, resolve_auto
from monetize.devices import Placement, place
from monetize.errors import UsageError
from monetize.progress import Reporter
from monetize.settings import CaptionSettings, DeviceSettings


@dataclass(frozen=True)
class CaptionerSpec:
    """A captioner that is found but not yet loaded; it can be pickled for another process.

    `settings` name the captioner that will be used; `reason` says why `--captioner auto` chose
    it, empty where it was named.
    """

    checkpoint: Checkpoint
    placement: Placement
    settings: CaptionSettings
    reason: str = ""

    @classmethod
    def resolve(
        cls,
        settings: CaptionSettings,
        device: DeviceSettings,
        reporter: Reporter,
        placement: Placement | None = None,
    ) -> "CaptionerSpec":
        """Find the checkpoint; a download is reported before it begins.

        `placement` overrides the device. Raises CheckpointError if the checkpoint cannot be found,
        and UsageError for a device that is missing or a prompt that the captioner does not take.
        """
        placement = placement or place(device)
        name, reason = resolve_auto(settings.captioner, CAPTIONER.flag, placement.device.type)
        checkpoint = resolve(name, CAPTIONER, offline=device.offline, say=reporter.say)
        if settings.caption_prompt and not is_image_text(checkpoint):
            raise UsageError(
                f"--caption-prompt: {name} takes no prompt; BLIP, BLIP-2, GIT and Florence-2 do: "
                "leave it out, or give another --captioner"
            )
        return cls(checkpoint, placement, replace(settings, captioner=name), reason)

    def __str__(self) -> str:
        return f"{self.checkpoint.name} on {self.placement}{self.reason}"
