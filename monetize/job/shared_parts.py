"""Parts of a job that several processes share: each gets those that no other has."""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from monetize.job.leases import Leases

P = TypeVar("P")


class SharedParts:
    """The numbered parts of one kind of work, such as the chunks to paint."""

    def __init__(self, kind: str, leases: Leases) -> None:
        self._kind = kind
        self._leases = leases

    def claimed(
        self, todo: Mapping[int, P], is_done: Callable[[int, P], bool]
    ) -> Iterator[tuple[int, P]]:
        """Yield the parts that this process gets, each when it is asked for.

        `is_done` tells whether another has finished a part since `todo` was made. Raises
        StorageError.
        """
        for number, part in todo.items():
            if self._leases.claim(self._name(number)):
                if is_done(number, part):
                    self.release(number)
                else:
                    yield number, part

    def release(self, number: int) -> None:
        """Give up a part, which is finished or which another is to take."""
        self._leases.release(self._name(number))

    def _name(self, number: int) -> str:
        return f"{self._kind}-{number:05d}"
