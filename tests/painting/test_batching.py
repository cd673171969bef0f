"""Batches that fit: halved where memory runs out, padded where the model is compiled."""

import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline
from helpers import Listener, denoise, paint, requests

from monetize.errors import OutOfMemory
from monetize.painting.batching import BatchPainter, fitting_batch_size
from monetize.painting.painter import Painter
from monetize.painting.painting import Painting
from monetize.progress import Reporter
from monetize.prompts.prompt import Prompt
from monetize.prompts.weights import Weight

Load = Callable[..., Painter]
PROMPTS = [
    Prompt("a pine tree", (Weight("pine", -1),)),
    Prompt("a lake"),
    Prompt("a red sun"),
    Prompt("a red sun"),
    Prompt("a boat"),
]
SEEDS = [1, 2, 3, 4, 5]


def watched(
    painter: Painter,
    monkeypatch: pytest.MonkeyPatch,
    most: float,
    error: Callable[[], Exception] = torch.OutOfMemoryError,
) -> list[int]:
    """The sizes of the batches painted; memory runs out, as CUDA says it, above `most`."""
    sizes: list[int] = []
    decode = painter.decode

    def limited(latents: torch.Tensor) -> Any:
        if len(latents) > most:
            raise error()
        sizes.append(len(latents))
        return decode(latents)

    monkeypatch.setattr(painter, "decode", limited)
    return sizes


def assert_alike(some: Sequence[Painting], others: Sequence[Painting]) -> None:
    """Up to rounding, which is another with another batch."""
    assert len(some) == len(others)
    for one, other in zip(some, others, strict=True):
        a, b = (torch.frombuffer(bytearray(each.image.tobytes()), dtype=torch.uint8).short()
                for each in (one, other))  # fmt: skip
        assert (a - b).abs().max() <= 1


def test_batches_of_any_size_give_what_one_gives(
    painter_with: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = painter_with()
    whole = paint(painter, PROMPTS, SEEDS)
    sizes = watched(painter, monkeypatch, most=5)
    assert_alike(
        BatchPainter(painter, 2, Reporter()).start(requests(painter, PROMPTS, SEEDS)).result(),
        whole,
    )
    assert sizes == [2, 2, 1]


def test_the_last_batch_is_padded_for_a_compiled_model(
    painter_with: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = painter_with()
    whole = paint(painter, PROMPTS, SEEDS)
    sizes = watched(painter, monkeypatch, most=5)
    batches = BatchPainter(painter, 3, Reporter(), padded=True)
    assert_alike(batches.start(requests(painter, PROMPTS, SEEDS)).result(), whole)
    assert sizes == [3, 3]


def test_a_batch_that_does_not_fit_is_halved_and_the_work_goes_on(
    painter_with: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter, listener = painter_with(), Listener()
    whole = paint(painter, PROMPTS, SEEDS)
    sizes = watched(painter, monkeypatch, most=2)
    batches = BatchPainter(painter, 5, listener)
    assert_alike(batches.start(requests(painter, PROMPTS, SEEDS)).result(), whole)
    assert sizes == [2, 2, 1]
    assert listener.warnings == ["out of memory with a batch of 5: continuing with 2"]
    batches.start(requests(painter, PROMPTS, SEEDS)).result()
    assert len(listener.warnings) == 1, "said once"


def test_cublas_without_memory_halves_the_batch_too(
    painter_with: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = painter_with()
    words = "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"
    sizes = watched(painter, monkeypatch, most=2, error=lambda: RuntimeError(words))
    batches = BatchPainter(painter, 5, Reporter())
    assert len(batches.start(requests(painter, PROMPTS, SEEDS)).result()) == 5
    assert sizes == [2, 2, 1]


def test_the_tensors_of_a_failed_batch_are_gone_before_the_memory_is_released(
    painter_with: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = painter_with()
    decode = painter.decode
    failed: list[weakref.ref[torch.Tensor]] = []
    left: list[int] = []

    def limited(latents: torch.Tensor) -> Any:
        if len(latents) > 2:
            failed.append(weakref.ref(latents))
            raise torch.OutOfMemoryError
        return decode(latents)

    monkeypatch.setattr(painter, "decode", limited)
    monkeypatch.setattr(
        "monetize.painting.batching.free_memory",
        lambda: left.append(sum(latents() is not None for latents in failed)),
    )
    BatchPainter(painter, 5, Reporter()).start(requests(painter, PROMPTS, SEEDS)).result()
    assert len(failed) == 1
    assert left == [0]


def test_where_a_single_picture_does_not_fit_it_fails(
    painter_with: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = painter_with()
    watched(painter, monkeypatch, most=0)
    with pytest.raises(OutOfMemory, match=r"1 image of 64 × 64 at once: .* or --size"):
        BatchPainter(painter, 2, Reporter()).start(requests(painter, PROMPTS, SEEDS))


@pytest.mark.parametrize(
    ("gigabytes", "most", "size"),
    [(100, 16, 16), (13.5, 16, 8), (13.5, 10, 10), (3, 16, 2), (1, 16, 1)],
)
def test_the_batch_size_follows_the_free_memory(
    painter_with: Load, monkeypatch: pytest.MonkeyPatch, gigabytes: float, most: int, size: int
) -> None:
    """With a card that has one gigabyte taken by the first picture and one by each further."""
    painter = painter_with()
    peaks = iter([1 << 30, 2 << 30])
    monkeypatch.setattr(painter, "device", torch.device("cuda"))
    monkeypatch.setattr(painter, "paint", lambda *_, **__: [])
    for name, value in (
        ("memory_allocated", lambda _device: 0),
        ("max_memory_allocated", lambda _device: next(peaks)),
        ("reset_peak_memory_stats", lambda _device: None),
        ("empty_cache", lambda: None),
        ("mem_get_info", lambda _device: (int(gigabytes * (1 << 30)), 80 << 30)),
    ):
        monkeypatch.setattr(torch.cuda, name, value)
    assert fitting_batch_size(painter, most) == size


def test_without_cuda_there_is_nothing_to_find_out(painter_with: Load) -> None:
    assert fitting_batch_size(painter_with(), 3) == 3


def test_a_painter_that_does_not_fit_is_offloaded(
    painter_with: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = StableDiffusionPipeline.to

    def run_out(self: StableDiffusionPipeline, *args: Any, **kwargs: Any) -> Any:
        if args == (torch.device("cpu"),):  # where the tests put it in place of a card
            raise torch.OutOfMemoryError
        return move(self, *args, **kwargs)

    monkeypatch.setattr(StableDiffusionPipeline, "to", run_out)
    offloading = painter_with()
    assert offloading.offloads
    monkeypatch.undo()
    assert_alike(paint(offloading, PROMPTS, SEEDS), paint(painter_with(), PROMPTS, SEEDS))


def test_a_compiled_painter_paints_the_same_with_and_without_weights_and_guidance(
    painter_with: Load,
) -> None:
    """Traced, guarded and functionalised as for CUDA; only the kernels are the plain ones."""
    plain, compiled = painter_with(guidance_end=0.5), painter_with(guidance_end=0.5)
    compiled.compile(backend="aot_eager")
    for prompts in (PROMPTS[1:3], PROMPTS[:2]):
        ours, theirs = (denoise(each, prompts, [1, 2]) for each in (compiled, plain))
        assert torch.allclose(ours, theirs, rtol=0, atol=1e-4)
    assert_alike(paint(compiled, PROMPTS, SEEDS), paint(plain, PROMPTS, SEEDS))


def test_settings_for_one_batch_leave_the_painters_own(painter_with: Load) -> None:
    painter = painter_with()
    [usual] = paint(painter, PROMPTS[:1], [1])
    fewer = replace(painter.settings, num_inference_steps=2)
    [quick] = paint(painter, PROMPTS[:1], [1], fewer)
    [again] = paint(painter, PROMPTS[:1], [1])
    assert usual.image.tobytes() == again.image.tobytes() != quick.image.tobytes()
