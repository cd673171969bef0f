"""What the workers of a cluster are asked to do, and what they answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from monetize.job.executors.assignment import Numbered
from monetize.job.executors.ray.nodes import NodeFacts

C = TypeVar("C", bound=Numbered)


@dataclass
class Worker:
    """An actor; `node` is None while it waits for a place on one."""

    number: int
    actor: Any
    node: NodeFacts | None = None
    loaded: bool = False


@dataclass(frozen=True)
class Call:
    """A call of a worker that has not been answered; `chunk` is the number of the one sent."""

    worker: Worker
    method: str
    chunk: int | None = None


@dataclass(frozen=True)
class Work(Generic[C]):
    """What the workers do: their class, its needs, and how their methods are called.

    `load_arguments` gets what the first worker decided, None for the first itself;
    `chunk_arguments` gets a chunk. `noun` and `verb` are for messages: painter, paint.
    """

    worker_class: type
    needs: Mapping[str, float]
    device_type: str
    load_arguments: Callable[[Any], tuple[Any, ...]]
    chunk_arguments: Callable[[C], tuple[Any, ...]]
    noun: str
    verb: str


@dataclass(frozen=True)
class Answer:
    """What `load` or `work` of a worker gave, and what it has to say."""

    result: Any
    notes: list[tuple[str, str]]
