"""What only a GPU can show; skipped where there is none.

REHEARSAL=1 runs on the CPU what can be run there, so that the tests are known to work.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import Result
from helpers import Listener, Tiny, denoise, paint, requests

from monetize.job.painting_store import PaintingStore
from monetize.painting import spec
from monetize.painting.batching import BatchPainter
from monetize.painting.compilation import variants
from monetize.painting.painter import Painter
from monetize.prompts.prompt import Prompt
from monetize.prompts.weights import Weight
from monetize.settings import SCHEDULERS

CUDA = torch.cuda.is_available()
DEVICE = "cuda" if CUDA else "cpu"
pytestmark = pytest.mark.skipif(
    not CUDA and not os.environ.get("REHEARSAL"), reason="needs a CUDA device"
)
needs_cuda = pytest.mark.skipif(not CUDA, reason="needs a CUDA device, not a rehearsal")
PINE, LAKE = Prompt("a pine tree", (Weight("pine", -1),)), Prompt("a lake")
Load = Callable[..., Painter]
Run = Callable[..., Result]


@pytest.fixture
def load(tiny: Tiny) -> Load:
    def load(device: str = DEVICE, dtype: str = "float32", **settings: Any) -> Painter:
        options = {"num_inference_steps": 8, **settings}
        return Painter.from_pretrained(str(tiny.painter), device=device, dtype=dtype, **options)

    return load


@pytest.fixture
def _exact() -> Iterator[None]:
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


@pytest.mark.usefixtures("_exact")
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_latents_are_those_of_the_cpu(load: Load, scheduler: str) -> None:
    settings = {"scheduler": scheduler, "guidance_end": 0.8, "weight_end": 0.5}
    ours, theirs = (
        denoise(load(device, **settings), [PINE, LAKE], [1, 2]).cpu() for device in (DEVICE, "cpu")
    )
    assert torch.allclose(ours, theirs, rtol=0, atol=2e-4)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_gives_nearly_the_same_picture(load: Load, dtype: str) -> None:
    [half], [full] = (
        paint(load(dtype=each), [PINE], [1]) for each in (dtype if CUDA else "bfloat16", "float32")
    )
    one, other = (
        torch.frombuffer(bytearray(each.image.tobytes()), dtype=torch.uint8).float()
        for each in (half, full)
    )
    assert (one - other).abs().mean() < 5


@needs_cuda
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_no_step_waits_for_the_device(load: Load, scheduler: str) -> None:
    painter = load(scheduler=scheduler, weight_end=0.5, guidance_end=0.8)
    batch = requests(painter, [PINE, LAKE], [1, 2])
    painter.denoise(batch)  # the first loads kernels
    torch.cuda.set_sync_debug_mode("error")
    try:
        painter.denoise(batch)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@needs_cuda
def test_memory_that_runs_out_halves_the_batch(load: Load) -> None:
    painter, listener = load(), Listener()
    batch = requests(painter, [LAKE] * 64, list(range(64)))
    used = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    painter.start(batch[:16]).result()
    peak = torch.cuda.max_memory_allocated() - used
    _, total = torch.cuda.mem_get_info()
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction((used + 2 * peak) / total)
    try:
        assert len(BatchPainter(painter, 64, listener).start(batch).result()) == 64
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert listener.warnings[0] == "out of memory with a batch of 64: continuing with 32"


def test_a_compiled_model_paints_the_same(load: Load) -> None:
    painter = load(weight=(Weight("pine", -1),), guidance_end=0.8)
    plain = denoise(painter, [PINE, LAKE], [1, 2])
    listener = Listener()
    batches = BatchPainter(painter, 2, listener, padded=True)
    if CUDA:
        batches.compile(variants(painter.settings))
    else:
        painter.compile("eager")
    assert torch.allclose(denoise(painter, [PINE, LAKE], [1, 2]), plain, rtol=0, atol=1e-2)
    assert not listener.warnings


def test_a_job_stopped_halfway_writes_the_bytes_of_an_uninterrupted_one(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--device", DEVICE, "--batch-size", 2)
    assert run_job(photos, tmp_path / "whole.zip", *options).exit_code == 0
    save, saved = PaintingStore.save, 0

    def stop(self: PaintingStore, *args: Any) -> None:
        nonlocal saved
        saved += 1
        if saved == 2:
            raise KeyboardInterrupt
        save(self, *args)

    monkeypatch.setattr(PaintingStore, "save", stop)
    assert run_job(photos, tmp_path / "stopped.zip", *options).exit_code == 130
    monkeypatch.undo()
    assert run_job(photos, tmp_path / "stopped.zip", *options).exit_code == 0
    assert (tmp_path / "whole.zip").read_bytes() == (tmp_path / "stopped.zip").read_bytes()


def test_two_processes_write_the_bytes_of_one(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both on one card, if there is only one."""
    first = "cuda:0" if CUDA else "cpu"
    options = ("--device", first, "--batch-size", 2)
    assert run_job(photos, tmp_path / "one.zip", *options).exit_code == 0
    monkeypatch.setattr(spec, "every_device", lambda placement: [placement] * 2)
    result = run_job(photos, tmp_path / "two.zip", *options)
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


@needs_cuda
def test_each_card_computes_attention_with_a_fused_kernel(cli: Run) -> None:
    reports = json.loads(cli("devices", "--json").stdout)["devices"]
    cards = [each for each in reports if each["device"].startswith("cuda")]
    assert len(cards) == torch.cuda.device_count()
    assert all(each["attention"] in ("flash", "memory-efficient") for each in cards)
