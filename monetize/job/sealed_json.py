"""JSON files that carry a digest of their content, so that damage to them is noticed."""

import hashlib
import json
from pathlib import Path
from typing import Any

from monetize.atomic_files import write_bytes
from monetize.file_errors import explain_read_errors


def seal(content: Any) -> bytes:
    """Encode content in one line for `unseal`."""
    return json.dumps({"sha256": _digest(content), "content": content}).encode()


def unseal(data: bytes | str) -> Any:
    """Return the content of `seal`; None if the data is damaged or something else."""
    try:
        sealed = json.loads(data)
        intact = sealed["sha256"] == _digest(sealed["content"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return sealed["content"] if intact else None


def write_sealed(path: Path, content: Any) -> None:
    """Write content to a file, atomically; raises StorageError."""
    write_bytes(path, seal(content))


def read_sealed(path: Path) -> Any:
    """Read what `write_sealed` wrote; None if it is missing or damaged. Raises StorageError."""
    with explain_read_errors(path):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
    return unseal(data)


def _digest(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
