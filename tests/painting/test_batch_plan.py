"""The batch size follows from measured memory, on a fake card that only reports numbers."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from helpers import Listener

from monetize.painting.batch_plan import BatchPlan, decide, fitting_batch_size
from monetize.painting.painter import Painter
from monetize.progress import Reporter

Load = Callable[..., Painter]
MIB, GIB = 1 << 20, 1 << 30
# Half precision, 512 x 512.
STEP, DECODING = 130 * MIB, 450 * MIB


class Card:
    """A painter that claims to be on CUDA, where steps and decoding take memory and time."""

    capability = (8, 0)

    def __init__(
        self, painter: Painter, monkeypatch: pytest.MonkeyPatch, free: float, seconds: float = 0.0
    ) -> None:
        self.painter = painter
        self.now = 0.0
        self._free = int(free)
        self._seconds = seconds
        self._peak = 0
        monkeypatch.setattr(painter, "device", torch.device("cuda"))
        monkeypatch.setattr(painter, "denoise", self._denoise)
        monkeypatch.setattr(painter, "decode", self._decode)
        monkeypatch.setattr("monetize.painting.batch_plan.time.monotonic", lambda: self.now)
        for name, value in (
            ("memory_allocated", lambda _device: 0),
            ("max_memory_allocated", lambda _device: self._peak),
            ("reset_peak_memory_stats", lambda _device: None),
            ("get_device_capability", lambda _device: self.capability),
            ("mem_get_info", lambda _device: (self._free, 80 * GIB)),
        ):
            monkeypatch.setattr(torch.cuda, name, value)

    def _denoise(self, requests: Any, settings: Any) -> torch.Tensor:
        self._take(len(requests) * STEP)
        self.now += len(requests) * settings.num_inference_steps * self._seconds
        return torch.zeros(len(requests), 4, 8, 8)

    def _decode(self, latents: torch.Tensor) -> None:
        self._take(min(len(latents), 4) * DECODING)

    def _take(self, peak: int) -> None:
        if peak > self._free:
            raise torch.AcceleratorError("CUDA error: out of memory")
        self._peak = peak


@pytest.fixture
def card(painter_with: Load, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Card]:
    return lambda free, seconds=0.0, **settings: Card(
        painter_with(**settings), monkeypatch, free, seconds
    )


@pytest.mark.parametrize(
    ("free", "most", "size"),
    [
        (60 * GIB, 16, 16),
        (3.9 * GIB, 16, 16),  # of a card with 6 GB
        (2.1 * GIB, 16, 8),
        (2.1 * GIB, 10, 10),
        (1.5 * GIB, 16, 3),  # decoding four at once takes more than there is
        (0.6 * GIB, 16, 1),
        (0.1 * GIB, 16, 1),
    ],
)
def test_the_batch_size_follows_the_memory_of_steps_and_of_decoding(
    card: Callable[..., Card], free: float, most: int, size: int
) -> None:
    assert fitting_batch_size(card(free).painter, most) == size


def test_without_cuda_there_is_nothing_to_measure(painter_with: Load) -> None:
    assert fitting_batch_size(painter_with(), 3) == 3
    assert decide(painter_with(), 3, 10_000, Reporter()) == BatchPlan(3, compiled=False)
    assert decide(painter_with(compile=True), 3, 10, Reporter()) == BatchPlan(3, compiled=True)


@pytest.mark.parametrize(
    ("seconds", "count", "strength", "compiled", "said"),
    [
        # A slow card, and an H100, with 50 steps.
        (3.3 / 50, 7038, None, True, "compiled: that takes about 1m and saves about 59m of 6h28m"),
        (
            3.3 / 50,
            7038,
            0.1,
            True,
            "compiled: that takes about 1m and saves about 5m49s of 39m",
        ),
        (
            0.1495 / 50,
            1000,
            None,
            False,
            "not compiled: that takes about 1m and saves about 23s of 2m30s",
        ),
        (3.3 / 50, 63, None, False, None),
    ],
)
def test_it_is_compiled_if_that_saves_more_than_it_costs(
    card: Callable[..., Card],
    seconds: float,
    count: int,
    strength: float | None,
    compiled: bool,
    said: str | None,
) -> None:
    listener = Listener()
    painter = card(60 * GIB, seconds, num_inference_steps=50, strength=strength).painter
    assert decide(painter, 16, count, listener) == BatchPlan(16, compiled)
    assert listener.said[0] == "Batch size: 16"
    assert listener.said[1:] == ([f"The model is {said}"] if said else [])


def test_a_card_that_triton_does_not_support_is_not_compiled_for_unless_asked_to(
    card: Callable[..., Card], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Card, "capability", (7, 5))
    painter = card(60 * GIB, 3.3 / 50, num_inference_steps=50).painter
    assert decide(painter, 16, 7038, listener := Listener()) == BatchPlan(16, compiled=False)
    assert "not compiled: Triton supports compute capability 8.0" in listener.said[1]
    assert "this card has 7.5" in listener.said[1]
    painter = card(60 * GIB, num_inference_steps=50, compile=True).painter
    assert decide(painter, 16, 7038, Listener()) == BatchPlan(16, compiled=True)


def test_what_is_requested_is_not_measured(card: Callable[..., Card]) -> None:
    painter = card(0.1 * GIB, batch_size=7, compile=True).painter
    assert decide(painter, 16, 10_000, Reporter()) == BatchPlan(7, compiled=True)
