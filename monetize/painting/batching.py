"""Any number of images → batches that fit the device's memory."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import takewhile

import torch

from monetize.devices import free_memory, total_memory
from monetize.errors import OutOfMemory
from monetize.image_sizes import Pixels
from monetize.messages import first_line
from monetize.painting.batch_plan import BatchPlan, decide
from monetize.painting.batch_sizes import max_batch_size
from monetize.painting.compilation import Variant, variants
from monetize.painting.denoiser import StepCallback
from monetize.painting.painter import Painter
from monetize.painting.painting import Painting, PendingPaintings
from monetize.painting.request import PaintRequest
from monetize.painting.spec import PainterSpec
from monetize.progress import Reporter
from monetize.prompts.prompt import Prompt
from monetize.settings import PaintSettings

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
    def load(
        cls,
        spec: PainterSpec,
        count: int,
        reporter: Reporter,
        plan: BatchPlan | None = None,
        *,
        approximate: bool = False,
    ) -> "BatchPainter":
        """Load a painter for `count` images, in batches as planned or as large as pays off.

        A compiled painter is ready to paint; with `approximate`, also steps that a time budget
        leaves without guidance.
        """
        painter = Painter.load(spec)
        if painter.offloads:
            device = spec.placement.device
            reporter.warn(f"the memory of {device} is too small: {OFFLOADING}")
        most = min(count, max_batch_size(spec))
        if plan is None:
            plan = decide(painter, most, count, reporter, approximate=approximate)
        loaded = cls(painter, plan.batch_size, reporter, padded=plan.compiled)
        if plan.compiled:
            loaded.compile(variants(spec.settings, approximate=approximate))
        return loaded

    @property
    def plan(self) -> BatchPlan:
        """How it paints now: fewer at once than planned if the memory ran out."""
        return BatchPlan(self.batch_size, self.painter.compiled)

    def compile(self, variants: Sequence[Variant]) -> None:
        """Compile the model and paint a batch with each variant of a step.

        Where the model cannot be compiled, warn and continue without.
        """
        self._reporter.say("Compiling the model, which takes minutes before the first painting")
        self.painter.compile()
        request = self.painter.request(Prompt(""), 0)
        ones = (1.0,) * self.painter.pipeline.tokenizer.model_max_length
        for variant in variants:
            if self.painter.compiled:
                each = replace(request, token_weights=ones) if variant.weighted else request
                self.start([each], variant.one_step(self.painter.settings)).result()

    def start(
        self,
        requests: Sequence[PaintRequest],
        settings: PaintSettings | None = None,
        on_step: StepCallback | None = None,
        *,
        heat: bool = False,
    ) -> "PendingBatches":
        """Send images to the device, in batches of one size that shrink when memory runs out.

        With `heat`, record where each text position acts. Raises OutOfMemory if not even a single
        image fits.
        """
        pending = list[tuple[PendingPaintings, int]]()
        order = _by_size(requests)
        done = 0
        while done < len(order):
            batch = _first_batch([requests[i] for i in order[done:]], self.batch_size)
            # A compiled model has one batch size; the images that fill the batch up are dropped.
            padding = [batch[-1]] * (self.batch_size - len(batch) if self._padded else 0)
            sent = self._try([*batch, *padding], settings, on_step, heat=heat)
            if isinstance(sent, PendingPaintings):
                pending.append((sent, len(batch)))
                done += len(batch)
            else:
                sent()
        return PendingBatches(pending, order)

    def _try(
        self,
        requests: Sequence[PaintRequest],
        settings: PaintSettings | None,
        on_step: StepCallback | None,
        *,
        heat: bool,
    ) -> PendingPaintings | Callable[[], None]:
        """Send one batch, or return what to do before it is tried again.

        By then the exception is gone, and with it the tensors in its frames.
        """
        try:
            return self.painter.start(requests, settings, on_step, heat=heat)
        except OutOfMemory:
            if self.batch_size == 1 and not self._can_offload:
                raise
            return self._reduce_memory
        except RuntimeError as error:
            if not self.painter.compiled:
                raise
            # If it is not the compiler that fails, the uncompiled model raises it again.
            return partial(self._uncompile, first_line(getattr(error, "inner_exception", error)))

    def _uncompile(self, reason: str) -> None:
        self._reporter.warn(
            f"the model cannot be compiled ({reason}): continuing without, which is slower"
        )
        self.painter.uncompile()
        free_memory()

    @property
    def _can_offload(self) -> bool:
        return self.painter.device.type == "cuda" and not self.painter.offloads

    def _reduce_memory(self) -> None:
        """Reduce memory use in the next possible way, and warn."""
        if self.batch_size > 1:
            self._reporter.warn(
                f"out of memory with a batch of {self.batch_size}: "
                f"continuing with {self.batch_size // 2}"
            )
            self.batch_size //= 2
        else:
            self._reporter.warn(f"out of memory with a single image: {OFFLOADING}")
            self.painter.offload()
        if self.painter.compiled:
            # Graphs of the larger batch are useless but count against Dynamo's limit, beyond which
            # it silently compiles nothing.
            torch.compiler.reset()
        free_memory()


class PendingBatches:
    """Images that were sent to the device."""

    def __init__(
        self, pending: Sequence[tuple[PendingPaintings, int]], order: Sequence[int]
    ) -> None:
        """`pending` are batches with the number of images to keep of each.

        `order` has the index of each image's request.
        """
        self._pending = pending
        self._order = order

    def result(self) -> list[Painting]:
        """Wait for the images, in the order of requests.

        Raises PaintingError if the numbers overflowed.
        """
        sent = [painting for batch, kept in self._pending for painting in batch.result()[:kept]]
        painting_of = dict(zip(self._order, sent, strict=True))
        return [painting_of[i] for i in range(len(sent))]


def _by_size(requests: Sequence[PaintRequest]) -> list[int]:
    """The indices of the requests, grouped by size, otherwise in order."""
    of_size = dict[Pixels | None, list[int]]()
    for i, request in enumerate(requests):
        of_size.setdefault(request.size, []).append(i)
    return [i for numbers in of_size.values() for i in numbers]


def _first_batch(requests: Sequence[PaintRequest], size: int) -> Sequence[PaintRequest]:
    """The first requests of one size, at most `size`; an edit is never separated from its base."""
    requests = list(takewhile(lambda request: request.size == requests[0].size, requests))
    while 0 < size < len(requests) and requests[size].edit is not None:
        size -= 1
    return requests[: size or 2]


def plan_batches(
    spec: PainterSpec, count: int, reporter: Reporter, *, approximate: bool = False
) -> BatchPlan:
    """Decide for several devices, by the one with the least memory, without keeping the painter."""
    specs = spec.on_every_device()
    smallest = min(specs, key=lambda each: total_memory(each.placement.device))
    most = min(count, max_batch_size(smallest))
    share = -(-count // len(specs))
    plan = decide(Painter.load(smallest), most, share, reporter, approximate=approximate)
    free_memory()
    return plan
