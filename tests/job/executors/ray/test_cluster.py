"""What a cluster has room for, and what is refused before a job begins."""

import importlib.util
import sys
from pathlib import Path

import pytest
import torch
from helpers import CPU, Listener, Run

from monetize.devices import Placement
from monetize.errors import UsageError
from monetize.job.executors.ray.cluster import RayCluster
from monetize.settings import DeviceSettings, ExecutorSettings

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="needs the package ray"
)


class FakeRay:
    """Two nodes, one with GPUs."""

    def nodes(self) -> list[dict[str, object]]:
        return [
            {"Alive": True, "Resources": {"CPU": 8.0, "GPU": 4.0}},
            {"Alive": True, "Resources": {"CPU": 4.0}},
        ]

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 12.0, "GPU": 4.0}

    def available_resources(self) -> dict[str, float]:
        return {"CPU": 12.0, "GPU": 1.0}


class WithoutGpus(FakeRay):
    """Two nodes without GPUs."""

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 12.0}


def cluster(
    settings: ExecutorSettings, device: str = "auto", ray: FakeRay | None = None
) -> RayCluster:
    return RayCluster(ray or FakeRay(), settings, DeviceSettings(device), Listener())


def test_painters_share_gpus_if_asked() -> None:
    cuda = Placement(torch.device("cuda"), torch.float16, "Ray cluster")
    halves = cluster(ExecutorSettings("ray", gpus_per_painter=0.5))
    needs = halves.needs(cuda)
    assert (halves.total_room(needs), halves.free_room(needs)) == (8, 2)
    tenths = cluster(ExecutorSettings("ray", gpus_per_painter=0.1))
    assert tenths.free_room({"num_gpus": 0.1}) == 10


def test_a_painter_on_cpus_gets_as_many_as_torch_uses_here() -> None:
    assert cluster(ExecutorSettings("ray")).needs(CPU)["num_cpus"] == torch.get_num_threads()
    given = cluster(ExecutorSettings("ray", cpus_per_painter=3))
    assert given.total_room(given.needs(CPU)) == 4


def test_gpus_are_used_where_there_are_some() -> None:
    placement = cluster(ExecutorSettings("ray")).placement()
    assert str(placement) == "cuda (Ray cluster), float16"
    assert cluster(ExecutorSettings("ray"), "cpu").placement() == CPU
    assert cluster(ExecutorSettings("ray"), ray=WithoutGpus()).placement() == CPU


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("cuda", "--device cuda: no node of the Ray cluster has a GPU"),
        ("mps", "--device mps: for a Ray cluster give auto, cpu or cuda"),
        ("cuda:1", "--device cuda:1: for a Ray cluster give auto, cpu or cuda"),
    ],
)
def test_a_device_that_no_node_can_have_is_refused(device: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        cluster(ExecutorSettings("ray"), device, WithoutGpus()).placement()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--ray-address", "head:6379"), "--ray-address needs --executor ray"),
        (("--ship-checkpoint",), "--ship-checkpoint needs --executor ray"),
        (("--gpus-per-painter", 0.5), "--gpus-per-painter needs --executor ray"),
        (("--executor", "ray", "--gpus-per-painter", 2), "must be greater than 0 and at most 1"),
        (("--executor", "ray", "--cpus-per-painter", 0), "--cpus-per-painter must be at least 1"),
        (("--executor", "ray", "--time-budget", "1h"), "leave it or --executor ray out"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    run_job: Run, photos: Path, tmp_path: Path, options: tuple[object, ...], message: str
) -> None:
    result = run_job(photos, tmp_path / "a.zip", *options)
    assert result.exit_code == 2
    assert message in result.stderr


def test_without_the_package_it_is_named(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    result = run_job(photos, tmp_path / "a.zip", "--executor", "ray")
    assert result.exit_code == 2
    assert "needs the package ray on this machine and on every node: pip install ray" in (
        result.stderr
    )


@needs_ray
def test_an_address_without_a_cluster_is_named(run_job: Run, photos: Path, tmp_path: Path) -> None:
    address = ("--executor", "ray", "--ray-address", "127.0.0.1:1")
    result = run_job(photos, tmp_path / "a.zip", *address)
    assert result.exit_code == 2
    assert "--ray-address 127.0.0.1:1: no Ray cluster there" in result.stderr
