"""Batches that fit: halved where memory runs out, padded where the model is compiled."""

import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from diffusers import StableDiffusionPipeline
from helpers import Listener, Tiny, denoise, paint, requests

from monetize.errors import OutOfMemory, UsageError
from monetize.painting.batch_plan import BatchPlan
from monetize.painting.batching import BatchPainter, plan_batches
from monetize.painting.compilation import Variant
from monetize.painting.editing import edited_request
from monetize.painting.painter import Painter
from monetize.painting.painting import Painting
from monetize.painting.spec import PainterSpec
from monetize.progress import Reporter
from monetize.prompts.prompt import Prompt
from monetize.prompts.weights import Weight
from monetize.settings import DeviceSettings, EditSettings, PaintSettings

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
    """The sizes of the painted batches; above `most`, memory runs out with CUDA's error."""
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
    """Equal up to rounding, which depends on the batch."""
    assert len(some) == len(others)
    for one, other in zip(some, others, strict=True):
        a, b = (torch.frombuffer(bytearray(each.image.tobytes()), dtype=torch.uint8).short()
                for each in (one, other))  # fmt: skip
        assert (a - b).abs().max() <= 1


def test_batches_of_any_size_paint_the_same(
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


@pytest.mark.parametrize(
    ("batch_size", "sizes"), [(1, [1, 2, 2]), (2, [1, 2, 2]), (3, [3, 2]), (4, [3, 2]), (5, [5])]
)
def test_an_edit_is_in_the_batch_of_its_base(
    painter_with: Load, monkeypatch: pytest.MonkeyPatch, batch_size: int, sizes: list[int]
) -> None:
    painter = painter_with()
    plain, base, other = requests(painter, PROMPTS[1:4], SEEDS[:3])
    batch = [plain]
    for each in (base, other):
        edited = Prompt("a green sun")
        settings = EditSettings()
        batch += [each, edited_request(painter.pipeline.tokenizer, each, edited, settings)]
    whole = painter.paint(batch)
    seen = watched(painter, monkeypatch, most=5)
    assert_alike(BatchPainter(painter, batch_size, Reporter()).start(batch).result(), whole)
    assert seen == sizes


def test_requests_of_several_sizes_are_painted_in_batches_of_one(
    painter_with: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = painter_with()
    sizes = watched(painter, monkeypatch, most=5)
    mixed = [
        replace(request, size=size)
        for request, size in zip(
            requests(painter, PROMPTS, SEEDS),
            [(64, 64), (96, 48), (64, 64), (96, 48), (64, 64)],
            strict=True,
        )
    ]
    painted = BatchPainter(painter, 2, Reporter()).start(mixed).result()
    assert sizes == [2, 1, 2]
    assert [each.request for each in painted] == mixed
    assert [each.image.size for each in painted] == [request.size for request in mixed]
    assert_alike(painted, [painter.paint([request])[0] for request in mixed])


def test_the_last_batch_is_padded_for_a_compiled_model(
    painter_with: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = painter_with()
    whole = paint(painter, PROMPTS, SEEDS)
    sizes = watched(painter, monkeypatch, most=5)
    batches = BatchPainter(painter, 3, Reporter(), padded=True)
    assert_alike(batches.start(requests(painter, PROMPTS, SEEDS)).result(), whole)
    assert sizes == [3, 3]


def test_a_batch_that_does_not_fit_is_halved_and_painting_continues(
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


def test_painting_fails_if_a_single_picture_does_not_fit(
    painter_with: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = painter_with()
    watched(painter, monkeypatch, most=0)
    with pytest.raises(OutOfMemory, match=r"1 image of 64 × 64 at once: .* or --size"):
        BatchPainter(painter, 2, Reporter()).start(requests(painter, PROMPTS, SEEDS))


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


@pytest.mark.slow
def test_a_compiled_painter_paints_the_same_with_and_without_weights_and_guidance(
    painter_with: Load,
) -> None:
    """Traced, guarded and functionalized as for CUDA; only the kernels are the plain ones."""
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


def failing_backend(*_: object) -> Any:
    raise RuntimeError("Failed to find C compiler. Please specify via CC environment variable.")


@pytest.mark.slow
def test_a_model_that_cannot_be_compiled_is_used_uncompiled(
    painter_with: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter, listener = painter_with(), Listener()
    whole = paint(painter, PROMPTS, SEEDS)
    monkeypatch.setattr(painter, "compile", partial(painter.compile, failing_backend))
    batches = BatchPainter(painter, 5, listener, padded=True)
    batches.compile([Variant(guided=True, weighted=False), Variant(guided=True, weighted=True)])
    assert batches.plan == BatchPlan(5, compiled=False)
    assert_alike(batches.start(requests(painter, PROMPTS, SEEDS)).result(), whole)
    [warning] = listener.warnings
    assert warning.startswith("the model cannot be compiled (")
    assert "Failed to find C compiler" in warning


@pytest.mark.slow
def test_memory_that_runs_out_in_the_compiler_halves_the_batch(
    painter_with: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter, listener = painter_with(guidance_scale=1.0, num_inference_steps=1), Listener()
    whole = paint(painter, PROMPTS, SEEDS)
    failures = iter([torch.OutOfMemoryError("CUDA out of memory")])

    def backend(module: torch.fx.GraphModule, _inputs: object) -> Any:
        for failure in failures:
            raise failure
        return module.forward

    painter.compile(backend)
    batches = BatchPainter(painter, 5, listener, padded=True)
    assert_alike(batches.start(requests(painter, PROMPTS, SEEDS)).result(), whole)
    assert listener.warnings == ["out of memory with a batch of 5: continuing with 2"]
    assert batches.plan == BatchPlan(2, compiled=True)


def test_an_error_of_the_model_itself_is_raised(
    painter_with: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = painter_with()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(painter.pipeline.unet, "forward", broken)
    with pytest.raises(RuntimeError, match="illegal memory access"):
        BatchPainter(painter, 5, Reporter()).start(requests(painter, PROMPTS, SEEDS))


def test_a_compiled_model_records_no_heat_maps(painter_with: Load) -> None:
    painter = painter_with()
    painter.compile("eager")
    with pytest.raises(UsageError, match="compiled model cannot record heat maps"):
        painter.start(requests(painter, PROMPTS, SEEDS), heat=True)


def test_a_plan_replaces_what_would_be_measured(tiny: Tiny) -> None:
    settings = PaintSettings(model=str(tiny.painter), batch_size=1)
    spec = PainterSpec.resolve(settings, DeviceSettings(device="cpu"), Reporter())
    plan = BatchPlan(3, compiled=False)
    assert BatchPainter.load(spec, 5, Reporter(), plan).plan == plan
    assert BatchPainter.load(spec, 5, Reporter()).plan == plan_batches(spec, 5, Reporter())
