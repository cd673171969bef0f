"""Chunks on a fake device, a thread that the tests control."""

from collections.abc import Iterator, Sequence
from threading import Event
from typing import Any

import pytest
import torch
from helpers import Tiny

from monetize.devices import Placement
from monetize.job.executors.base import Chunk
from monetize.job.executors.chunk_painter import ChunkPainter, ChunkPainterSpec
from monetize.painting.batching import BatchPainter
from monetize.painting.spec import PainterSpec
from monetize.progress import Reporter, Stage
from monetize.settings import DeviceSettings, PaintSettings


class SlowPainter(BatchPainter):
    """Returns no paintings, and blocks every chunk until it is released, like a busy device."""

    plan = None  # type: ignore[assignment]

    def __init__(self) -> None:
        self.begun = [Event() for _ in range(3)]
        self.let_go = [Event() for _ in range(3)]

    def start(self, requests: Sequence[Any], settings: Any, on_step: Any, **options: Any) -> Any:  # type: ignore[override]
        number = sum(event.is_set() for event in self.begun)
        self.begun[number].set()
        for _ in range(1000):
            if self.let_go[number].wait(0.01):
                return self
            on_step(1, 2)
        raise AssertionError("nobody lets it go on")

    def result(self) -> list[Any]:
        return []


@pytest.fixture
def spec(tiny: Tiny) -> ChunkPainterSpec:
    settings = PaintSettings(model=str(tiny.painter))
    resolved = PainterSpec.resolve(settings, DeviceSettings(device="cpu"), Reporter())
    cuda = Placement(torch.device("cuda"), torch.float16)
    return ChunkPainterSpec(PainterSpec(resolved.checkpoint, cuda, resolved.settings), 3, 64, 95)


def chunks() -> Iterator[Chunk]:
    return iter([Chunk(number, (), PaintSettings()) for number in range(3)])


def test_a_chunk_is_saved_while_the_next_is_still_being_sent(spec: ChunkPainterSpec) -> None:
    device = SlowPainter()
    painter = ChunkPainter(spec, device)
    painted = painter.paint(chunks(), Stage())
    device.let_go[0].set()
    assert next(painted)[0].number == 0
    assert device.begun[1].wait(10), "the device has the next chunk"
    device.let_go[1].set()
    assert next(painted)[0].number == 1
    device.let_go[2].set()
    assert [chunk.number for chunk, _ in painted] == [2]
    painter.close()


def test_closing_does_not_wait_for_a_chunk_to_be_sent(spec: ChunkPainterSpec) -> None:
    device = SlowPainter()
    painter = ChunkPainter(spec, device)
    painted = painter.paint(chunks(), Stage())
    device.let_go[0].set()
    next(painted)
    assert device.begun[1].wait(10)
    painter.close()
    assert not device.let_go[1].is_set()
    assert not device.begun[2].is_set()


def test_what_sending_raises_is_raised(
    spec: ChunkPainterSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("the device is gone")

    monkeypatch.setattr(SlowPainter, "start", fail)
    painter = ChunkPainter(spec, SlowPainter())
    with pytest.raises(RuntimeError, match="the device is gone"):
        next(painter.paint(chunks(), Stage()))
    painter.close()
