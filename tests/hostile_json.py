"""Hostile variants of a JSON file, from a generator with a fixed seed."""

import json
import random
from collections.abc import Iterator
from typing import Any

WHOLE = {
    "empty": b"",
    "a list": b"[]",
    "null": b"null",
    "a number": b"7",
    "a text": b'"x"',
    "no members": b"{}",
    "a list of nulls": b"[null]",
    "deep nesting": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "5,000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "not UTF-8": b'{"a": "\xff"}',
    "cut off": b'{"a": ',
    "binary": bytes(range(256)),
}
VALUES: tuple[Any, ...] = (
    None, [], {}, [None], "x", "", "../x", True, -1, 0, 1.5, 10**6, 10**9, 10**18, 10**300, 1e308,
    float("nan"), float("inf"), [1] * 100, [10**9, 10**9], {"a": {"b": []}}, "9" * 5000,
)  # fmt: skip


def hostile(data: bytes, count: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Yield every hostile whole file, and `count` files with one value replaced."""
    yield from WHOLE.items()
    chance = random.Random(seed)
    for _ in range(count):
        document = json.loads(data)
        where, value = document, chance.choice(VALUES)
        key = chance.choice(list(where))
        while isinstance(where[key], dict) and where[key] and chance.random() < 0.7:
            where = where[key]
            key = chance.choice(list(where))
        where[key] = value
        yield f"{key} = {str(value)[:40]}", json.dumps(document).encode()
