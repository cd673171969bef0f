"""Devices and precisions that models run with, and how to tell that memory ran out."""

import gc
import re
from dataclasses import dataclass, replace

import torch

from monetize.errors import UsageError
from monetize.messages import first_line
from monetize.settings import DeviceSettings

# How allocators, cuBLAS, cuDNN, MPS and Windows say it, in lower case. Only torch's CUDA allocator
# has an exception class for it.
OUT_OF_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "alloc_failed",
    "allocation_failed",
    "invalid buffer size",
    "bad allocation",
    "bad_alloc",
)


# Below this compute capability, as on a T4 with 7.5, there are no units for bfloat16, and Triton,
# which compiles models, is not supported.
AMPERE = (8, 0)


@dataclass(frozen=True)
class Placement:
    """The device and the precision that models are loaded with.

    `where` describes CUDA devices of other machines; empty for those of this one.
    """

    device: torch.device
    dtype: torch.dtype
    where: str = ""

    @property
    def half(self) -> bool:
        """Whether a weight takes two bytes."""
        return self.dtype.itemsize == 2

    def __str__(self) -> str:
        name = str(self.device)
        if self.device.type == "cuda":
            name += f" ({self.where or torch.cuda.get_device_name(self.device)})"
        return f"{name}, {str(self.dtype).removeprefix('torch.')}"


def place(settings: DeviceSettings) -> Placement:
    """Choose device and precision; raises UsageError if the device or the precision is missing."""
    name = settings.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if not re.fullmatch(r"cpu|mps|cuda(:\d+)?", name):
        raise UsageError(f"--device {name}: give auto, cpu, cuda, cuda:0, cuda:1 ..., or mps")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise _unusable(name, error) from None
    try_out(device)
    if settings.dtype == "auto":
        return Placement(device, default_dtype(device))
    dtype = getattr(torch, settings.dtype)
    if dtype is torch.bfloat16:
        _check_bfloat16(device)
    return Placement(device, dtype)


def place_elsewhere(settings: DeviceSettings, where: str, *, has_cuda: bool) -> Placement:
    """Choose device and precision for other machines; raises UsageError as `place` does."""
    name = settings.device
    if name == "auto":
        name = "cuda" if has_cuda else "cpu"
    if name not in ("cpu", "cuda"):
        raise UsageError(f"--device {name}: for a {where} give auto, cpu or cuda")
    if name == "cuda" and not has_cuda:
        raise UsageError(f"--device cuda: no node of the {where} has a GPU")
    device = torch.device(name)
    automatic = settings.dtype == "auto"
    dtype = default_dtype(device) if automatic else getattr(torch, settings.dtype)
    return Placement(device, dtype, where if name == "cuda" else "")


def default_dtype(device: torch.device) -> torch.dtype:
    """The precision of `auto`: half on every CUDA card, because bfloat16 needs Ampere."""
    return torch.float16 if device.type == "cuda" else torch.float32


def before_ampere(device: torch.device) -> bool:
    """Whether this is an NVIDIA card with a compute capability below 8.0."""
    if device.type != "cuda" or torch.version.hip is not None:
        return False
    return torch.cuda.get_device_capability(device) < AMPERE


def compute_capability(device: torch.device) -> str:
    """The compute capability of a CUDA device, such as `7.5`."""
    return "{}.{}".format(*torch.cuda.get_device_capability(device))


def _check_bfloat16(device: torch.device) -> None:
    """Refuse a card that torch would emulate bfloat16 on, which is slower than float32."""
    if before_ampere(device):
        raise UsageError(
            f"--dtype bfloat16: {torch.cuda.get_device_name(device)} does not have it (compute "
            f"capability {compute_capability(device)}, 8.0 is needed): leave --dtype out, which is "
            "float16 on CUDA"
        )


def try_out(device: torch.device) -> None:
    """Compute something on the device and wait for the result.

    A device can be present and hold tensors although torch has no kernel for it, such as a P100
    with a torch that was built for newer cards. Raises UsageError.
    """
    try:
        torch.ones(2, 2, device=device).mm(torch.ones(2, 2, device=device)).sum().item()
    except (RuntimeError, AssertionError) as error:
        raise _unusable(str(device), error) from None


def _unusable(name: str, error: Exception) -> UsageError:
    return UsageError(
        f"--device {name}: torch {torch.__version__} cannot use this device here "
        f"({first_line(error)}){_another_card(error)}; --device cpu always works"
    )


def _another_card(error: Exception) -> str:
    """Say what to do about a card that this torch has no kernels for; empty for other errors."""
    if "no kernel image" not in str(error):
        return ""
    kinds = " ".join(torch.cuda.get_arch_list())
    return (
        f". It has kernels for {kinds} only: choose a newer card, such as a T4 (on Kaggle, the "
        "accelerator GPU T4 x2), or install a torch that supports this one"
    )


def send(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Copy a tensor from the CPU to the device without waiting for what the device is doing."""
    if device.type == "cuda":
        tensor = tensor.pin_memory()  # else the copy waits
    return tensor.to(device, non_blocking=True)


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether this error, or the one that a compiler wraps in it, says that memory ran out."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    inner = getattr(error, "inner_exception", None)
    if isinstance(inner, BaseException) and ran_out_of_memory(inner):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(words in text for words in OUT_OF_MEMORY)


def every_device(placement: Placement) -> list[Placement]:
    """Return the placements a job paints on: `cuda` without a number is every CUDA device."""
    if str(placement.device) != "cuda" or placement.where:
        return [placement]
    count = torch.cuda.device_count()
    return [replace(placement, device=torch.device("cuda", i)) for i in range(count)]


def total_memory(device: torch.device) -> int:
    """Bytes of a CUDA device; 0 for others."""
    if device.type != "cuda":
        return 0
    return int(torch.cuda.get_device_properties(device).total_memory)


def free_memory() -> None:
    """Release the device memory that torch has cached.

    Call it outside of any `except` block: the frames of an exception hold their tensors.
    """
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()
