"""What each device of this machine is, and whether it computes what painting needs."""

import platform
import warnings
from dataclasses import dataclass

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from monetize.devices import (
    before_ampere,
    compute_capability,
    default_dtype,
    every_device,
    place,
    total_memory,
    try_out,
)
from monetize.errors import UsageError
from monetize.settings import DeviceSettings

# From the fastest to the slowest.
ATTENTION = {
    "flash": SDPBackend.FLASH_ATTENTION,
    "memory-efficient": SDPBackend.EFFICIENT_ATTENTION,
    "unfused": SDPBackend.MATH,
}
# Batch, heads, positions and features of a head, as in the largest layers of Stable Diffusion v1.
ATTENTION_SHAPE = (1, 8, 64, 40)


@dataclass(frozen=True)
class DeviceReport:
    """A device, and the outcome of a tiny operation on it.

    `memory` is in bytes, None where it is not a device's own; `compute_capability` is NVIDIA's.
    `problem` is empty if the device computes. `dtype` is the default there, `attention` the fastest
    kernel that computes in it, empty where nothing does.
    """

    device: str
    name: str
    memory: int | None
    compute_capability: str | None
    problem: str
    dtype: str
    bfloat16: bool
    attention: str


def report_devices() -> list[DeviceReport]:
    """Try every device of this machine: CUDA devices, MPS, and the CPU."""
    names = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    return [report_device(torch.device(name)) for name in [*names, "cpu"]]


def report_device(device: torch.device) -> DeviceReport:
    """Describe a device and try it."""
    problem = ""
    try:
        try_out(device)
    except UsageError as error:
        problem = str(error)
    is_cuda = device.type == "cuda"
    dtype = default_dtype(device)
    return DeviceReport(
        str(device),
        torch.cuda.get_device_name(device) if is_cuda else platform.machine(),
        total_memory(device) if is_cuda else None,
        compute_capability(device) if is_cuda else None,
        problem,
        str(dtype).removeprefix("torch."),
        not before_ampere(device),
        "" if problem else fastest_attention(device, dtype),
    )


def fastest_attention(device: torch.device, dtype: torch.dtype) -> str:
    """The name of the fastest attention kernel that computes on this device; empty if none does."""
    query = torch.ones(ATTENTION_SHAPE, device=device, dtype=dtype)
    for name, backend in ATTENTION.items():
        try:
            # torch warns about each reason why a kernel cannot be used.
            with warnings.catch_warnings(action="ignore"), sdpa_kernel(backend):
                scaled_dot_product_attention(query, query, query).sum().item()
        except RuntimeError:
            continue
        return name
    return ""


def used_by_default() -> list[str]:
    """The devices that a job without --device uses; raises UsageError if it would fail."""
    return [str(each.device) for each in every_device(place(DeviceSettings()))]
