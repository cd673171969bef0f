import pytest
import torch
from helpers import CPU

from monetize.devices import Placement, place
from monetize.errors import UsageError
from monetize.settings import DeviceSettings


def test_auto_is_full_precision_on_the_cpu() -> None:
    placement = place(DeviceSettings(device="cpu"))
    assert placement == CPU
    assert not placement.half
    assert str(placement) == "cpu, float32"
    assert place(DeviceSettings(device="cpu", dtype="bfloat16")).half


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("gpu", "--device gpu: give auto, cpu, cuda, cuda:0"),
        ("cuda:99", "--device cuda:99: .*--device cpu always works"),
    ],
)
def test_an_unavailable_device_is_refused(device: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        place(DeviceSettings(device=device))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_auto_is_half_precision_on_cuda() -> None:
    assert place(DeviceSettings()) == Placement(torch.device("cuda"), torch.float16)
