"""Devices are tried out, not just listed."""

from types import SimpleNamespace

import pytest
import torch

from monetize.device_report import fastest_attention, report_device, report_devices, used_by_default
from monetize.errors import UsageError

CPU = torch.device("cpu")


@pytest.fixture
def _card(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose driver shows a T4 that this torch cannot compute on."""
    memory = SimpleNamespace(total_memory=15_800_000_000)
    for name, value in (
        ("is_available", lambda: True),
        ("device_count", lambda: 1),
        ("get_device_name", lambda device: "Tesla T4"),
        ("get_device_capability", lambda device: (7, 5)),
        ("get_device_properties", lambda device: memory),
    ):
        monkeypatch.setattr(torch.cuda, name, value)


def test_the_cpu_computes_in_full_precision() -> None:
    report = report_device(CPU)
    assert report.problem == ""
    assert (report.dtype, report.bfloat16) == ("float32", True)
    assert (report.memory, report.compute_capability) == (None, None)
    assert report_devices()[-1] == report


def test_the_fastest_attention_is_the_first_that_computes() -> None:
    assert fastest_attention(CPU, torch.float32) == "flash"
    # A kernel for the CPU takes floating-point numbers only.
    assert fastest_attention(CPU, torch.int32) == ""


@pytest.mark.skipif(torch.cuda.is_available(), reason="shows a machine without CUDA")
def test_without_cuda_the_cpu_is_used() -> None:
    assert used_by_default() == ["cpu"]


@pytest.mark.skipif(torch.version.cuda is not None, reason="shows a torch without CUDA")
@pytest.mark.usefixtures("_card")
def test_a_card_that_does_not_compute_is_reported_as_such() -> None:
    card, cpu = report_devices()
    assert (card.device, card.name, card.memory) == ("cuda:0", "Tesla T4", 15_800_000_000)
    assert (card.compute_capability, card.bfloat16) == ("7.5", False)
    assert (card.dtype, card.attention) == ("float16", "")
    assert "--device cuda:0: " in card.problem
    assert "cannot use this device here" in card.problem
    assert cpu.problem == ""
    with pytest.raises(UsageError, match="--device cuda: "):
        used_by_default()
