"""How a job ended."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from monetize.errors import UNREADABLE_EXIT_CODE


@dataclass(frozen=True)
class Outcome:
    """What a finished job made.

    Of the `paintings`, `flagged` were blacked out by the safety checker; `unreadable` and `failed`
    give the reason for each photo that was not painted. `output_bytes` is the size of the zip or of
    all paintings, `archive_sha256` the zip's digest in hexadecimal, empty for a folder.
    """

    paintings: int
    flagged: int
    unreadable: Mapping[str, str]
    output_bytes: int
    archive_sha256: str
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every photo was painted."""
        return not self.unreadable and not self.failed

    @property
    def exit_code(self) -> int:
        """0 if every photo was painted, otherwise 3."""
        return 0 if self.complete else UNREADABLE_EXIT_CODE

    def to_json(self) -> dict[str, Any]:
        """For the workspace."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**values)
