from typing import Any

import pytest
import torch
from helpers import CPU
from torch._dynamo.exc import BackendCompilerFailed
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from monetize.devices import Placement, place, ran_out_of_memory, send
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


class WithoutKernels(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A card that holds tensors, as a P100 does, but has no kernels in this torch."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func._schema.name == "aten::mm":
            raise torch.AcceleratorError(
                "CUDA error: no kernel image is available for execution on the device"
            )
        return func(*args, **(kwargs or {}))


def test_a_card_without_kernels_is_refused_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_75", "sm_80"])
    message = (
        r"--device cuda:1: .*no kernel image.*for sm_75 sm_80 only: .*T4 x2.*--device cpu always"
    )
    with FakeTensorMode(), WithoutKernels(), pytest.raises(UsageError, match=message):
        place(DeviceSettings(device="cuda:1"))


@pytest.mark.parametrize(("capability", "refused"), [((7, 5), True), ((8, 0), False)])
def test_bfloat16_is_refused_by_a_card_that_would_emulate_it(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], refused: bool
) -> None:
    monkeypatch.setattr("monetize.devices.try_out", lambda device: None)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Tesla T4")
    asked = DeviceSettings(device="cuda:0", dtype="bfloat16")
    if refused:
        message = r"--dtype bfloat16: Tesla T4 does not have it .*7\.5.* float16 on CUDA"
        with pytest.raises(UsageError, match=message):
            place(asked)
    else:
        assert place(asked).dtype is torch.bfloat16
    assert place(DeviceSettings(device="cuda:0")).dtype is torch.float16


def test_a_device_is_trusted_only_when_it_has_computed_a_number() -> None:
    """Fake tensors claim to be on CUDA, but cannot be read."""
    with FakeTensorMode(), pytest.raises(UsageError, match=r"--device cuda: .* cannot use"):
        place(DeviceSettings(device="cuda"))


class SentTensor:
    """Stands for a tensor on the CPU, and notes how it is copied."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def pin_memory(self) -> "SentTensor":
        self.calls.append("pinned")
        return self

    def to(self, device: torch.device, *, non_blocking: bool) -> "SentTensor":
        self.calls.append(f"to {device}" + (" without waiting" if non_blocking else ""))
        return self


def test_a_tensor_is_sent_from_pinned_memory_without_waiting() -> None:
    tensor: Any = SentTensor()
    send(tensor, torch.device("cuda"))
    assert tensor.calls == ["pinned", "to cuda without waiting"]
    assert torch.equal(send(torch.ones(2), torch.device("cpu")), torch.ones(2))


def in_a_compiler(error: Exception) -> Exception:
    return BackendCompilerFailed(lambda: None, error, None)


CUDA_ALLOCATOR = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


@pytest.mark.parametrize(
    "error",
    [
        CUDA_ALLOCATOR,
        torch.AcceleratorError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
        RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GiB, max allowed: 9.07 GiB)"),
        RuntimeError("Invalid buffer size: 80.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried"),
        RuntimeError("bad allocation"),
        MemoryError(),
        in_a_compiler(CUDA_ALLOCATOR),
        in_a_compiler(in_a_compiler(torch.AcceleratorError("CUDA error: out of memory"))),
    ],
    ids=str,
)
def test_memory_that_runs_out_is_recognized_in_every_wording(error: Exception) -> None:
    assert ran_out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA error: an illegal memory access was encountered"),
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        ValueError("out of memory"),
        in_a_compiler(RuntimeError("Failed to find C compiler")),
    ],
    ids=str,
)
def test_other_errors_are_not_about_memory(error: Exception) -> None:
    assert not ran_out_of_memory(error)
