"""The second stage of a job: every prompt becomes a JPEG in the workspace, chunk by chunk."""

import io
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from PIL import Image
from transformers import CLIPTokenizer

from monetize.checkpoints import list_files, resolve
from monetize.job import Item, Job, chunks
from monetize.layouts import CHECKED_PAINTER, PAINTER
from monetize.models import place
from monetize.painter import Painter
from monetize.progress import Reporter
from monetize.prompt import Weight
from monetize.settings import DeviceSettings, PaintSettings, RunSettings
from monetize.tokens import load_tokenizer, weigh
from monetize.workspace import Workspace

# A GPU is idle with less; on a CPU a larger batch is no faster, and more is lost when stopped.
CUDA_BATCH_SIZE = 8


class PaintStage:
    """Finds the painter at once, with CheckpointError if it cannot be had; loads it to run."""

    def __init__(self, settings: PaintSettings, device: DeviceSettings, reporter: Reporter) -> None:
        self.settings = settings
        self.placement = place(device)
        self.checkpoint = resolve(
            settings.model,
            CHECKED_PAINTER if settings.safety_checker else PAINTER,
            half=self.placement.half,
            offline=device.offline,
            say=reporter.say,
        )
        variant = self.checkpoint.layout.variant(
            list_files(self.checkpoint.folder), half=self.placement.half
        )
        if variant and not self.placement.half:
            reporter.say(f"{self.checkpoint.name}: only weights in half precision are here")

    @property
    def batch_size(self) -> int:
        """Paintings made at once: what was asked for, else what suits the device."""
        on_cuda = self.placement.device.type == "cuda"
        return self.settings.batch_size or (CUDA_BATCH_SIZE if on_cuda else 1)

    @cached_property
    def tokenizer(self) -> CLIPTokenizer:
        """The painter's tokenizer, which loads in no time."""
        return load_tokenizer(self.checkpoint)

    def load(self) -> Painter:
        """Load the pipeline."""
        return Painter.load(self.checkpoint, self.placement, self.settings)

    def warn_of_weights(self, items: Sequence[Item], reporter: Reporter) -> None:
        """Say once which weights never act, and what the text encoder's limit cuts off.

        Raises UsageError where two weights fall on one token.
        """
        acting: set[Weight] = set()
        too_long, cut = 0, dict[Weight, int]()
        for item in items:
            acting.update(item.prompt.weights)
            weighted = weigh(self.tokenizer, item.prompt)
            too_long += bool(weighted.beyond)
            for weight in (*weighted.cut, *weighted.partly_cut):
                cut[weight] = cut.get(weight, 0) + 1
        limit = self.tokenizer.model_max_length
        if too_long:
            reporter.warn(
                f"{too_long} of {len(items)} prompts are longer than the {limit} tokens that the "
                "painter sees: what is past them has no effect"
            )
        for weight, count in cut.items():
            reporter.warn(
                f"--weight {str(weight)!r} has no effect on {count} of {len(items)} prompts where "
                f"{weight.phrase!r} is past token {limit}"
            )
        for weight in self.settings.weight:
            if weight not in acting:
                reporter.warn(f"--weight {str(weight)!r}: no prompt has {weight.phrase!r}")

    def run(
        self, job: Job, workspace: Workspace, items: Sequence[Item], reporter: Reporter
    ) -> tuple[list[tuple[str, Path]], frozenset[str]]:
        """Paint the chunks that the workspace lacks or has for other prompts.

        Returns (name in the zip, JPEG's path) of every item and the names of those that the
        safety checker blacked out.
        """
        item_of = {item.photo: item for item in items}
        plan = {
            number: [item_of[photo.key] for photo in chunk if photo.key in item_of]
            for number, chunk in chunks(job.photos, self.batch_size)
        }
        todo = {
            n: chunk for n, chunk in plan.items() if chunk and not _is_done(workspace, n, chunk)
        }
        if todo:
            done = len(items) - sum(map(len, todo.values()))
            with reporter.stage("Painting", len(items), "painting", done) as progress:
                progress.step("loading the model")
                painter = self.load()
                _say_size(painter.size, job.settings.output_size, reporter)
                for number, chunk in todo.items():
                    paintings = painter.paint(
                        [item.prompt for item in chunk],
                        [item.seed for item in chunk],
                        on_step=lambda step, of: progress.step(f"step {step}/{of}"),
                    )
                    files = {
                        item.file: to_jpeg(painting.image, job.settings)
                        for item, painting in zip(chunk, paintings, strict=True)
                    }
                    record = {
                        "items": [item.record() for item in chunk],
                        "flagged": [
                            item.file
                            for item, painting in zip(chunk, paintings, strict=True)
                            if painting.flagged
                        ],
                    }
                    workspace.save_chunk(number, record, files)
                    progress.advance(len(chunk))
        members = [
            (item.file, workspace.painting(n, item.file))
            for n, chunk in plan.items()
            for item in chunk
        ]
        flagged = frozenset(
            name
            for n, chunk in plan.items()
            if chunk
            for name in (workspace.chunk(n) or {"flagged": ()})["flagged"]
        )
        return members, flagged


def to_jpeg(image: Image.Image, settings: RunSettings) -> bytes:
    """Resize a painting to the output size, if it has another, and encode it."""
    size = (settings.output_size, settings.output_size)
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=settings.jpeg_quality)
    return buffer.getvalue()


def _say_size(painted: int, output: int, reporter: Reporter) -> None:
    how = f"Painting at {painted} × {painted} pixels"
    resized = "" if painted == output else f", resized to {output} × {output} in the zip"
    reporter.say(how + resized)


def _is_done(workspace: Workspace, number: int, chunk: Sequence[Item]) -> bool:
    record = workspace.chunk(number)
    return record is not None and record["items"] == [item.record() for item in chunk]
