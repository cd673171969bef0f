"""Any number of images → batches that fit the device's memory."""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch

from monetize.devices import free_memory
from monetize.errors import OutOfMemory
from monetize.painting.denoiser import StepCallback
from monetize.painting.painter import Painter
from monetize.painting.painting import Painting, PendingPaintings
from monetize.painting.request import PaintRequest
from monetize.painting.spec import PainterSpec
from monetize.progress import Reporter
from monetize.prompts.prompt import Prompt
from monetize.settings import PaintSettings

# Larger batches gain nothing on the fastest cards: 32 guided images are 64 samples, for which
# diffusers' upsampling drops channels_last.
MAX_BATCH_SIZE = 16
# Fraction of the free memory to use: the allocator needs some room.
USABLE_MEMORY = 0.9
# Compiling takes about as long as painting this many images.
COMPILE_FROM = 256
OFFLOADING = "the parts of the model are moved to it one at a time, which is slower"


class BatchPainter:
    """A painter, and the number of images it paints at once."""

    def __init__(
        self, painter: Painter, batch_size: int, reporter: Reporter, *, padded: bool = False
    ) -> None:
        self.painter = painter
        self.batch_size = batch_size
        self._reporter = reporter
        self._padded = padded

    @classmethod
    def load(cls, spec: PainterSpec, count: int, reporter: Reporter) -> "BatchPainter":
        """Load a painter for `count` images, compiled if that pays, with a batch that fits."""
        painter = Painter.load(spec)
        device, settings = spec.placement.device, spec.settings
        on_cuda = device.type == "cuda"
        if painter.offloads:
            reporter.warn(f"the memory of {device} is too small: {OFFLOADING}")
        most = min(count, MAX_BATCH_SIZE if on_cuda else 1)
        batch_size = settings.batch_size or fitting_batch_size(painter, most)
        compiled = settings.compile
        if compiled is None:
            compiled = on_cuda and count >= COMPILE_FROM and not painter.offloads
        if compiled:
            reporter.say("Compiling the model, which takes minutes before the first painting")
            painter.compile()
        if on_cuda:
            reporter.say(f"Batch size: {batch_size}")
        return cls(painter, batch_size, reporter, padded=compiled)

    def start(
        self,
        requests: Sequence[PaintRequest],
        settings: PaintSettings | None = None,
        on_step: StepCallback | None = None,
        *,
        heat: bool = False,
    ) -> "PendingBatches":
        """Send images to the device, in batches that shrink when memory runs out.

        With `heat`, record where each text position acts. Raises OutOfMemory if not even a single
        image fits.
        """
        pending = list[tuple[PendingPaintings, int]]()
        done = 0
        while done < len(requests):
            batch = requests[done : done + self.batch_size]
            # A compiled model has one batch size; the images that fill the batch up are dropped.
            padding = [batch[-1]] * (self.batch_size - len(batch) if self._padded else 0)
            sent = self._try([*batch, *padding], settings, on_step, heat=heat)
            if sent is None:
                self._reduce_memory()
            else:
                pending.append((sent, len(batch)))
                done += len(batch)
        return PendingBatches(pending)

    def _try(
        self,
        requests: Sequence[PaintRequest],
        settings: PaintSettings | None,
        on_step: StepCallback | None,
        *,
        heat: bool,
    ) -> PendingPaintings | None:
        """Send one batch; None if the memory runs out and there is a way to use less.

        The exception is gone when this returns, and with it the tensors in its frames.
        """
        try:
            return self.painter.start(requests, settings, on_step, heat=heat)
        except OutOfMemory:
            if self.batch_size == 1 and not self._can_offload:
                raise
            return None

    @property
    def _can_offload(self) -> bool:
        return self.painter.device.type == "cuda" and not self.painter.offloads

    def _reduce_memory(self) -> None:
        """Reduce memory use by the next step there is, and warn."""
        if self.batch_size > 1:
            self._reporter.warn(
                f"out of memory with a batch of {self.batch_size}: "
                f"continuing with {self.batch_size // 2}"
            )
            self.batch_size //= 2
        else:
            self._reporter.warn(f"out of memory with a single image: {OFFLOADING}")
            self.painter.offload()
        free_memory()


class PendingBatches:
    """Images that were sent to the device, in order."""

    def __init__(self, pending: Sequence[tuple[PendingPaintings, int]]) -> None:
        """`pending` are batches with the number of images to keep of each."""
        self._pending = pending

    def result(self) -> list[Painting]:
        """Wait for the images; raises PaintingError if the numbers overflowed."""
        return [painting for batch, kept in self._pending for painting in batch.result()[:kept]]


def chunk_size(spec: PainterSpec) -> int:
    """How many images to send and save at a time, in as many batches as memory requires."""
    # On a CPU a larger batch is no faster, and more is lost when a job is stopped.
    on_cuda = spec.placement.device.type == "cuda"
    return spec.settings.batch_size or (MAX_BATCH_SIZE if on_cuda else 1)


def fitting_batch_size(painter: Painter, most: int) -> int:
    """The size of equal batches, `most` images in all, that a CUDA device's memory holds.

    Measured by painting one image and two, with one step each; 1 if not even that fits.
    """
    if painter.device.type != "cuda" or most == 1:
        return most
    try:
        first, second = (_peak_memory(painter, count) for count in (1, 2))
    except OutOfMemory:
        return 1
    finally:
        torch.cuda.empty_cache()
    free, _ = torch.cuda.mem_get_info(painter.device)
    fitting = 1 + max(0, int((USABLE_MEMORY * free - first) // max(second - first, 1)))
    return math.ceil(most / math.ceil(most / fitting))


def _peak_memory(painter: Painter, count: int) -> int:
    """Bytes that a batch takes in addition to the weights."""
    before = torch.cuda.memory_allocated(painter.device)
    torch.cuda.reset_peak_memory_stats(painter.device)
    one_step = replace(painter.settings, num_inference_steps=1, strength=None)
    painter.paint([painter.request(Prompt(""), seed) for seed in range(count)], one_step)
    return torch.cuda.max_memory_allocated(painter.device) - before
