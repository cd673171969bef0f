"""Which painter, where, and with which settings: everything needed to load one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from transformers import CLIPTokenizer

from monetize.checkpoints.embeddings import check_widths, resolve_embeddings
from monetize.checkpoints.known_words import unknown_words
from monetize.checkpoints.layout import CHECKED_PAINTER, PAINTER
from monetize.checkpoints.lora import check_text_features, resolve_lora
from monetize.checkpoints.own_settings import complete_settings, few_steps
from monetize.checkpoints.painting_size import native_size
from monetize.checkpoints.resolve import Checkpoint, resolve, resolve_auto
from monetize.checkpoints.tokenizer import load_tokenizer
from monetize.devices import Placement, every_device, place
from monetize.image_sizes import FIT, NativeSize, Pixels, painting_size, pixels_of
from monetize.messages import name_some, printable
from monetize.painting.timesteps import check_steps
from monetize.progress import Reporter
from monetize.prompts.prompt import Prompt
from monetize.prompts.tokens import weigh
from monetize.settings import DeviceSettings, PaintSettings


@dataclass(frozen=True)
class PainterSpec:
    """A painter that is found but not yet loaded; it can be pickled for another process.

    `settings` are complete: the model, size, scheduler, steps and guidance that will be used.
    `reason` says why `--model auto` chose this checkpoint, empty where it was named.
    """

    checkpoint: Checkpoint
    placement: Placement
    settings: PaintSettings
    reason: str = ""

    @classmethod
    def resolve(
        cls,
        settings: PaintSettings,
        device: DeviceSettings,
        reporter: Reporter,
        placement: Placement | None = None,
    ) -> "PainterSpec":
        """Find the checkpoint and complete the settings; `placement` overrides the device.

        Reports a download before it begins, and warns about a negative prompt that is cut off and
        about a size beyond the checkpoint's own. Raises CheckpointError if the checkpoint cannot be
        found, and UsageError for a device that is missing, for a size that it cannot paint, and for
        a strength that leaves no step.
        """
        placement = placement or place(device)
        loras = [
            resolve_lora(lora, offline=device.offline, say=reporter.say) for lora in settings.lora
        ]
        embeddings = resolve_embeddings(settings.embedding)
        name, reason = resolve_auto(settings.model, PAINTER.flag, placement.device.type)
        checkpoint = resolve(
            name,
            CHECKED_PAINTER if settings.safety_checker else PAINTER,
            half=placement.half,
            offline=device.offline,
            say=reporter.say,
        )
        checkpoint = replace(checkpoint, loras=tuple(loras), embeddings=embeddings)
        check_widths(checkpoint)
        check_text_features(checkpoint)
        if checkpoint.variant and not placement.half:
            reporter.say(f"{checkpoint.name}: only half-precision weights are available")
        negative_prompt = Prompt.parse(settings.negative_prompt, (), settings.prompt_syntax)
        if negative_prompt.is_weighted:
            weights = ", ".join(negative_prompt.weight_texts)
            reporter.warn(
                f"--negative-prompt is painted without its weights ({weights}): weights act on the "
                "prompt only"
            )
        weighed = weigh(load_tokenizer(checkpoint), negative_prompt)
        for warning in weighed.warnings("--negative-prompt"):
            reporter.warn(warning)
        complete = replace(complete_settings(checkpoint, settings), model=name)
        check_steps(complete)
        _warn_about_size(checkpoint, complete, reporter)
        _say_few_steps(checkpoint, settings, reporter)
        return cls(checkpoint, placement, complete, reason)

    def size_for(self, photo: Pixels | None) -> Pixels:
        """Return the width and height to paint at, as `painting_size` does."""
        assert self.settings.size is not None  # the settings are complete
        return painting_size(self.settings.size, self._native_size, photo)

    @cached_property
    def _native_size(self) -> NativeSize:
        return native_size(self.checkpoint)

    def warn_about_words(self, texts: Iterable[str], reporter: Reporter) -> None:
        """Warn, once for all texts, of words that the checkpoint was never trained on."""
        for each in self.checkpoint.embeddings:
            token = re.compile(re.escape(each.token), re.IGNORECASE)
            texts = [token.sub(" ", text) for text in texts]
        unknown = unknown_words(self.checkpoint, texts)
        if unknown:
            reporter.warn(
                f"{self.checkpoint.name} does not know {name_some(map(repr, unknown), 5)}: "
                "the painting will not show what that means"
            )

    def warn_about_embeddings(self, texts: Iterable[str], reporter: Reporter) -> None:
        """Warn of embeddings whose token is in none of the texts, nor in the negative prompt."""
        texts = [*texts, self.settings.negative_prompt]
        for each in self.checkpoint.embeddings:
            token = re.compile(rf"(?<!\w){re.escape(each.token)}(?!\w)", re.IGNORECASE)
            if not any(map(token.search, texts)):
                reporter.warn(
                    f"--embedding {printable(each.name)}: no prompt contains its token "
                    f"{each.token!r}, so it has no effect"
                )

    @property
    def tokenizer(self) -> CLIPTokenizer:
        """The painter's tokenizer, which loads quickly and is loaded once."""
        return load_tokenizer(self.checkpoint)

    def on_every_device(self) -> list["PainterSpec"]:
        """A spec for each device to paint on: `cuda` without a number is all of them."""
        return [replace(self, placement=each) for each in every_device(self.placement)]

    def __str__(self) -> str:
        count = len(every_device(self.placement))
        devices = f", {count} of them" if count > 1 else ""
        loras = [f"{Path(lora.name).name} × {lora.scale:g}" for lora in self.checkpoint.loras]
        embeddings = [
            f"{Path(each.name).name} as {each.token!r}" for each in self.checkpoint.embeddings
        ]
        painter = " + ".join([self.checkpoint.name, *loras, *embeddings])
        return f"{painter} on {self.placement}{devices}{self.reason}"


def _say_few_steps(checkpoint: Checkpoint, given: PaintSettings, reporter: Reporter) -> None:
    few = few_steps(checkpoint)
    if few and None in (given.num_inference_steps, given.guidance_scale):
        reporter.say(
            f"{checkpoint.name} is made for few steps ({few.sign}): unless --steps and "
            f"--guidance-scale say otherwise, {few.num_inference_steps} steps and guidance "
            f"{few.guidance_scale:g}"
        )


def _warn_about_size(checkpoint: Checkpoint, settings: PaintSettings, reporter: Reporter) -> None:
    side = native_size(checkpoint).side
    assert settings.size is not None  # the settings are complete
    if settings.size == FIT:
        return
    width, height = pixels_of(settings.size)
    if width * height > side**2:
        reporter.warn(
            f"{checkpoint.name} was trained on {side} × {side} pixels: at {width} × {height} it "
            "repeats what it paints"
        )
