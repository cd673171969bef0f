"""The connection of a job to a Ray cluster: where it is, what it has, and when it ends."""

import logging
import os
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

import torch
from tqdm import tqdm

from monetize.checkpoints.resolve import Checkpoint
from monetize.devices import Placement, place_elsewhere
from monetize.errors import UsageError
from monetize.file_errors import explain_read_errors
from monetize.interruption import NAMES
from monetize.job.executors.ray.nodes import SentCheckpoint, SentFiles
from monetize.messages import counted, first_line
from monetize.progress import Reporter
from monetize.settings import DeviceSettings, ExecutorSettings

WHERE = "Ray cluster"
"""What `Placement.where` says of its GPUs: nodes come and go, so a job is bound to no kind."""
CONNECTION_SECONDS = 10
PART_BYTES = 64 * 2**20  # of a checkpoint's file, which the driver has in memory at a time


class RayCluster:
    """A cluster, and how much of it each worker of a job takes."""

    def __init__(
        self, ray: Any, settings: ExecutorSettings, device: DeviceSettings, reporter: Reporter
    ) -> None:
        self.ray = ray
        self._settings = settings
        self._device = device
        self._reporter = reporter
        self._sent: dict[Checkpoint, SentCheckpoint] = {}

    @classmethod
    def connect(
        cls, settings: ExecutorSettings, device: DeviceSettings, reporter: Reporter
    ) -> Self:
        """Connect as `ExecutorSettings` says; raises UsageError without Ray or a cluster."""
        ray = _import_ray()
        with _own_signal_handlers():
            _connect(ray, settings.ray_address)
        cluster = cls(ray, settings, device, reporter)
        nodes = [node for node in ray.nodes() if node["Alive"]]
        gpus = int(ray.cluster_resources().get("GPU", 0))
        cpus = int(ray.cluster_resources().get("CPU", 0))
        reporter.say(
            f"Ray cluster: {counted(len(nodes), 'node')}, {counted(gpus, 'GPU')}, "
            f"{counted(cpus, 'CPU')}"
        )
        return cluster

    def close(self) -> None:
        """Leave the cluster, which ends whatever this job still has there."""
        self.ray.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def placement(self) -> Placement:
        """Choose the kind of device that the job uses; raises UsageError if there is none."""
        has_cuda = "GPU" in self.ray.cluster_resources()
        return place_elsewhere(self._device, WHERE, has_cuda=has_cuda)

    def needs(self, placement: Placement) -> dict[str, float]:
        """The GPUs and CPUs of a worker with this placement, as Ray's options of an actor."""
        if placement.device.type == "cuda":
            return {"num_gpus": self._settings.gpus_per_painter, "num_cpus": 1}
        cpus = self._settings.cpus_per_painter
        if cpus is None:
            most = max(int(node["Resources"].get("CPU", 0)) for node in self.ray.nodes())
            cpus = max(1, min(torch.get_num_threads(), most))
        return {"num_gpus": 0, "num_cpus": cpus}

    def total_room(self, needs: Mapping[str, float]) -> int:
        """How many workers with these needs the cluster has, were it idle."""
        return _fitting(self.ray.cluster_resources(), needs)

    def free_room(self, needs: Mapping[str, float]) -> int:
        """How many more workers with these needs would find a place now."""
        return _fitting(self.ray.available_resources(), needs)

    def send(self, checkpoint: Checkpoint) -> SentCheckpoint:
        """Describe a checkpoint for the nodes, and with --ship-checkpoint put its files there."""
        if checkpoint not in self._sent:
            files = None
            if self._settings.ship_checkpoint and not checkpoint.bundled:
                files = self._ship(checkpoint.name, checkpoint.revision, checkpoint.files())
            loras, embeddings = (
                [self._ship(each.name, each.revision, {each.file.name: each.file}) for each in kind]
                for kind in (checkpoint.loras, checkpoint.embeddings)
            )
            self._sent[checkpoint] = SentCheckpoint(
                checkpoint, checkpoint.revision, self._device.offline, files, loras, embeddings
            )
        return self._sent[checkpoint]

    def _ship(self, name: str, revision: str, paths: Mapping[str, Path]) -> SentFiles:
        size = sum(path.stat().st_size for path in paths.values())
        self._reporter.say(
            f"Sending {name} to the cluster: {counted(len(paths), 'file')}, "
            f"{tqdm.format_sizeof(size, 'B')}"
        )
        files: dict[str, list[Any]] = {}
        for relative, path in paths.items():
            with explain_read_errors(path), path.open("rb") as file:
                parts = iter(partial(file.read, PART_BYTES), b"")
                files[relative] = [self.ray.put(part) for part in parts]
        return SentFiles(revision, files)


def _fitting(resources: Mapping[str, float], needs: Mapping[str, float]) -> int:
    names = {"num_gpus": "GPU", "num_cpus": "CPU"}
    # Ray counts in ten-thousandths.
    return min(
        int(resources.get(names[need], 0) / amount + 1e-6)
        for need, amount in needs.items()
        if amount
    )


def _import_ray() -> Any:
    # Ray reads these when it is imported: it reports nothing, and leaves warnings to its logs.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")  # a worker's death is reported here
    try:
        import ray
    except ImportError:
        raise UsageError(
            "--executor ray needs the package ray on this machine and on every node: "
            "pip install ray"
        ) from None
    return ray


def _connect(ray: Any, address: str | None) -> None:
    address = address or os.environ.get("RAY_ADDRESS")
    if address:
        _check_address(address)
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        ray.init(address or "auto", **options)
    except ConnectionError as error:
        if address:
            raise _no_cluster(address, error) from None
        ray.init("local", include_dashboard=False, **options)
    except (RuntimeError, ValueError, OSError) as error:
        # Ray raises RuntimeError for a cluster of another version of Ray or Python.
        raise UsageError(f"cannot join the Ray cluster: {first_line(error)}") from None


def _check_address(address: str) -> None:
    """Raise UsageError if nobody answers at HOST:PORT, for which Ray itself takes minutes."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or "/" in host:
        return
    try:
        socket.create_connection((host, int(port)), CONNECTION_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise _no_cluster(address, error) from None


def _no_cluster(address: str, error: Exception) -> UsageError:
    return UsageError(
        f"--ray-address {address}: no Ray cluster there ({first_line(error)}). Give HOST:PORT of "
        "its head, or leave it out to use this machine only."
    )


@contextmanager
def _own_signal_handlers() -> Iterator[None]:
    """Keep the handlers of signals that Ray replaces by its own."""
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
