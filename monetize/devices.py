"""Devices and precisions that models run with."""

import gc
import re
from dataclasses import dataclass, replace

import torch

from monetize.errors import UsageError
from monetize.messages import first_line
from monetize.settings import DeviceSettings


@dataclass(frozen=True)
class Placement:
    """The device and the precision that models are loaded with."""

    device: torch.device
    dtype: torch.dtype

    @property
    def half(self) -> bool:
        """Whether a weight takes two bytes."""
        return self.dtype.itemsize == 2

    def __str__(self) -> str:
        name = str(self.device)
        if self.device.type == "cuda":
            name += f" ({torch.cuda.get_device_name(self.device)})"
        return f"{name}, {str(self.dtype).removeprefix('torch.')}"


def place(settings: DeviceSettings) -> Placement:
    """Choose device and precision; raises UsageError if the device is not available."""
    name = settings.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if not re.fullmatch(r"cpu|mps|cuda(:\d+)?", name):
        raise UsageError(f"--device {name}: give auto, cpu, cuda, cuda:0, cuda:1 ..., or mps")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(
            f"--device {name}: torch {torch.__version__} cannot use this device here "
            f"({first_line(error)}); --device cpu always works"
        ) from None
    if settings.dtype == "auto":
        return Placement(device, torch.float16 if device.type == "cuda" else torch.float32)
    return Placement(device, getattr(torch, settings.dtype))


def every_device(placement: Placement) -> list[Placement]:
    """Return the placements a job paints on: `cuda` without a number is every CUDA device."""
    if str(placement.device) != "cuda":
        return [placement]
    count = torch.cuda.device_count()
    return [replace(placement, device=torch.device("cuda", i)) for i in range(count)]


def free_memory() -> None:
    """Release the device memory that torch has cached."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
