"""Any number of pictures → batches that the device's memory holds."""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch

from monetize.checkpoints.resolve import Checkpoint
from monetize.devices import Placement
from monetize.errors import OutOfMemory
from monetize.painting.denoiser import StepCallback
from monetize.painting.painter import Painter, Painting, Pending
from monetize.progress import Reporter
from monetize.prompts.prompt import Prompt
from monetize.settings import PaintSettings

# More gain nothing on the fastest cards: 32 guided pictures are 64 samples, with which diffusers'
# upsampling leaves channels_last.
LARGEST = 16
# Part of the free memory to use: the allocator needs room to move in.
USED = 0.9
# Compiling takes as long as painting about so many.
COMPILED_FROM = 256
TURNS = "the parts of the model take turns on it, which is slower"


class Batches:
    """A painter, and how many pictures it paints at once."""

    def __init__(
        self, painter: Painter, size: int, reporter: Reporter, *, padded: bool = False
    ) -> None:
        self.painter = painter
        self.size = size
        self._reporter = reporter
        self._padded = padded

    @classmethod
    def load(
        cls,
        checkpoint: Checkpoint,
        placement: Placement,
        settings: PaintSettings,
        number: int,
        reporter: Reporter,
    ) -> "Batches":
        """Load a painter for so many pictures, compiled if that pays, with batches that fit."""
        painter = Painter.load(checkpoint, placement, settings)
        on_cuda = placement.device.type == "cuda"
        if painter.takes_turns:
            reporter.warn(f"the memory of {placement.device} is too small: {TURNS}")
        most = min(number, LARGEST if on_cuda else 1)
        size = settings.batch_size or fitting_batch_size(painter, most)
        compiled = settings.compile
        if compiled is None:
            compiled = on_cuda and number >= COMPILED_FROM and not painter.takes_turns
        if compiled:
            reporter.say("Compiling the model, which takes minutes before the first painting")
            painter.compile()
        if on_cuda:
            reporter.say(f"Painting {size} at once")
        return cls(painter, size, reporter, padded=compiled)

    def start(
        self,
        prompts: Sequence[Prompt],
        seeds: Sequence[int],
        on_step: StepCallback | None = None,
        settings: PaintSettings | None = None,
        *,
        heat: bool = False,
    ) -> "PendingBatches":
        """Send pictures to the device, in batches that become smaller where memory runs out.

        With `heat`, the paintings tell where each text position acted. Raises OutOfMemory if
        there is not enough for a single picture.
        """
        pending = list[tuple[Pending, int]]()
        done = 0
        while done < len(prompts):
            end = min(done + self.size, len(prompts))
            # A compiled model wants one size of batch; what fills it up is painted for nothing.
            filling = self.size - (end - done) if self._padded else 0
            try:
                batch = self.painter.start(
                    [*prompts[done:end], *[prompts[end - 1]] * filling],
                    [*seeds[done:end], *[seeds[end - 1]] * filling],
                    on_step,
                    settings,
                    heat=heat,
                )
            except OutOfMemory:
                if not self._take_less():
                    raise
            else:
                pending.append((batch, end - done))
                done = end
        return PendingBatches(pending)

    def _take_less(self) -> bool:
        """Be content with less memory, said; False where there is no way to."""
        if self.size > 1:
            self._reporter.warn(
                f"memory ran out with {self.size} at once: going on with {self.size // 2}"
            )
            self.size //= 2
        elif self.painter.device.type == "cuda" and not self.painter.takes_turns:
            self._reporter.warn(f"memory ran out with a single picture: {TURNS}")
            self.painter.take_turns()
        else:
            return False
        if self.painter.device.type == "cuda":
            torch.cuda.empty_cache()
        return True


class PendingBatches:
    """Pictures that were sent to the device, in their order."""

    def __init__(self, pending: Sequence[tuple[Pending, int]]) -> None:
        self._pending = pending

    def result(self) -> list[Painting]:
        """Wait for the pictures; raises PaintingError if the numbers overflowed."""
        return [painting for batch, number in self._pending for painting in batch.result()[:number]]


def fitting_batch_size(painter: Painter, most: int) -> int:
    """The size of equal batches, of at most `most` together, that a CUDA device's memory holds.

    Found by painting one picture and two, with one step each; 1 if not even that fits.
    """
    if painter.device.type != "cuda" or most == 1:
        return most
    try:
        first, second = (_peak_memory(painter, number) for number in (1, 2))
    except OutOfMemory:
        return 1
    finally:
        torch.cuda.empty_cache()
    free, _ = torch.cuda.mem_get_info(painter.device)
    fitting = 1 + max(0, int((USED * free - first) // max(second - first, 1)))
    return math.ceil(most / math.ceil(most / fitting))


def _peak_memory(painter: Painter, number: int) -> int:
    """Bytes that a batch takes beyond the weights."""
    before = torch.cuda.memory_allocated(painter.device)
    torch.cuda.reset_peak_memory_stats(painter.device)
    few = replace(painter.settings, num_inference_steps=1)
    painter.paint([Prompt("")] * number, list(range(number)), settings=few)
    return torch.cuda.max_memory_allocated(painter.device) - before
