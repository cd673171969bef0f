"""Reading a checkpoint's configuration files, and refusing values that no model has.

The libraries believe what these files say: a number of layers makes them loop, a size makes them
allocate.
"""

import json
import math
import re
import reprlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from monetize.checkpoints.file_contents import substitute
from monetize.checkpoints.layout import Layout
from monetize.checkpoints.resolve import Checkpoint, list_files
from monetize.errors import CheckpointError
from monetize.file_errors import explain_read_errors
from monetize.messages import first_line

MAX_CONFIG_SIZE = 2_000_000  # bytes; those of known models have a few thousand
MAX_VOCABULARY_SIZE = 200_000_000
VOCABULARY = re.compile(r"(vocab|tokenizer|added_tokens|.*\.index)\.json")
TOKENIZER_CONFIG = "tokenizer_config.json"  # some have a maximum length of 10^30
# The largest value of a number whose name matches; the first match counts.
LIMITS = (
    (re.compile(r"layer|heads?$|n_head|groups|depth"), 1000),
    (re.compile(r"height|width|edge|image_size|sample_size|crop_size"), 8192),
    (re.compile(r"position|n_ctx"), 10_000),
    (re.compile(r"timesteps"), 100_000),
    (re.compile(r"channels|dim|embd|hidden|inner|patch|size$"), 1_000_000),
    (re.compile(""), 10_000_000_000),
)
MAX_LIST_LENGTH = 10_000  # the longest of known models are 1,000 noise levels
MAX_BLOCKS = 50  # of block_out_channels and the like


def read_config(checkpoint: Checkpoint, name: str) -> dict[str, Any]:
    """Read a JSON file of a checkpoint; raises CheckpointError for anything but an object."""
    return _read(checkpoint.folder / name)


def check_configs(checkpoint: Checkpoint, layout: Layout | None = None) -> None:
    """Raise CheckpointError if a JSON file of a checkpoint is damaged or has absurd values.

    A layout limits the check to its files.
    """
    files = (layout or checkpoint.layout).select(list_files(checkpoint.folder), checkpoint.variant)
    for name in files:
        if name.endswith(".json"):
            path = checkpoint.folder / name
            with explain_read_errors(path, CheckpointError):
                status = path.stat()
            _check(path, (status.st_ino, status.st_mtime_ns, status.st_size))


@lru_cache  # a job checks a checkpoint for each of its parts, and a vocabulary takes long to parse
def _check(path: Path, _version: tuple[int, ...]) -> None:
    values = _read(path)
    if path.name != TOKENIZER_CONFIG and not VOCABULARY.fullmatch(path.name):
        for key, value in _leaves(values):
            _check_value(path, key, value)


def _read(path: Path) -> dict[str, Any]:
    is_vocabulary = VOCABULARY.fullmatch(path.name)
    limit = MAX_VOCABULARY_SIZE if is_vocabulary else MAX_CONFIG_SIZE
    with explain_read_errors(path, CheckpointError), path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise _damaged(path, f"it is larger than {limit:,} bytes")
    try:
        values = json.loads(data)
    except RecursionError:
        raise _damaged(path, "it is nested too deeply") from None
    except ValueError as error:  # of syntax, encoding, or a number of too many digits
        if found := substitute(data):
            raise CheckpointError(f"{path} is not a usable configuration: {found}") from None
        raise _damaged(path, first_line(error)) from None
    if not isinstance(values, dict):
        raise _damaged(path, f"it must be an object, not {reprlib.repr(values)}")
    return values


def _leaves(values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield each value that is not an object, with its key; items of a list have the list's key."""
    pending = list(values.items())
    while pending:
        key, value = pending.pop()
        if isinstance(value, dict):
            pending += value.items()
            continue
        yield key, value
        if isinstance(value, list):
            pending += [(key, each) for each in value]


def _check_value(path: Path, key: str, value: Any) -> None:
    max_length = MAX_BLOCKS if "block" in key or "layer" in key else MAX_LIST_LENGTH
    if isinstance(value, list) and len(value) > max_length:
        raise _damaged(path, f"{key} has {len(value):,} values")
    if isinstance(value, int | float):
        limit = next(limit for name, limit in LIMITS if name.search(key))
        if limit < abs(value) != math.inf:  # schedulers have -Infinity
            raise _damaged(path, f"{key} is {reprlib.repr(value)}, more than any model has")


def _damaged(path: Path, why: str) -> CheckpointError:
    return CheckpointError(
        f"{path} is not a usable configuration: {why}. The file may be damaged: copy or download "
        "it again."
    )
