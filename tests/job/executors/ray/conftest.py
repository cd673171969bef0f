"""Two nodes of a real Ray cluster on this machine, and captions that need no captioner."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from helpers import Run, Tiny

MEGABYTES_OF_OBJECTS = 100
AddNode = Callable[[], Any]


@pytest.fixture(scope="session")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A cluster whose head does no work, and whose nodes have a cache of their own."""
    cluster_utils = pytest.importorskip("ray.cluster_utils", reason="needs the package ray")
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    cluster = cluster_utils.Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 0, "num_gpus": 0, "include_dashboard": False,
            "object_store_memory": MEGABYTES_OF_OBJECTS * 2**20,
        },
    )  # fmt: skip
    yield cluster
    cluster.shutdown()
    patch.undo()


@pytest.fixture
def add_node(head: Any) -> Iterator[AddNode]:
    """Let a node with one CPU join; it leaves with the test."""
    nodes: list[Any] = []

    def add() -> Any:
        size = MEGABYTES_OF_OBJECTS * 2**20
        nodes.append(head.add_node(num_cpus=1, num_gpus=0, object_store_memory=size))
        return nodes[-1]

    yield add
    for node in nodes:
        if node in head.worker_nodes:
            head.remove_node(node)


@pytest.fixture
def captions(photos: Path, tmp_path: Path) -> Path:
    path = tmp_path / "captions.csv"
    lines = [f"{photo.name},a lake with {photo.stem}" for photo in sorted(photos.iterdir())]
    path.write_text("\n".join(["photo,caption", *lines]))
    return path


@pytest.fixture
def run_here(cli: Run, tiny: Tiny) -> Run:
    """Run a job in this process; arguments override what makes it quick."""

    def run(*args: object) -> Result:
        return cli("run", "--batch-size", 1, "--steps", 2, *tiny.flags, *args)

    return run


@pytest.fixture
def run_on_ray(run_here: Run, head: Any) -> Run:
    """Run the same job on the cluster."""

    def run(*args: object) -> Result:
        return run_here(*args, "--executor", "ray", "--ray-address", head.address)

    return run
