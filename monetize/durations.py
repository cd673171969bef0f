"""Durations such as `4h30m`, and moments: parsing and formatting."""

import math
import re
import reprlib
from datetime import datetime

LONGEST = 366 * 24 * 3600.0  # seconds


def parse_duration(text: str) -> float:
    """Return the seconds of `4h30m`, `90m` or `45s`; raises ValueError for any other text.

    No duration is longer than a year.
    """
    match = re.fullmatch(r"(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?", text)
    if not match or not any(match.groups()):
        raise ValueError(f"{reprlib.repr(text)} is not a duration such as 4h30m, 90m or 45s")
    hours, minutes, seconds = (float(each or 0) for each in match.groups())
    total = 3600 * hours + 60 * minutes + seconds
    if total > LONGEST:
        raise ValueError(f"{reprlib.repr(text)} is longer than a year")
    return total


def parse_moment(text: str) -> float:
    """Return the seconds since 1970 of a moment; raises ValueError for any other text.

    It is given as such seconds, or in ISO 8601, where a time without a zone is local.
    """
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,12})?", text):
        return float(text)
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            f"{reprlib.repr(text)} is not a time such as 2026-05-01T09:30, or seconds since 1970"
        ) from None


def format_duration(seconds: float) -> str:
    """Format a duration, rounded up: to seconds up to ten minutes, then to minutes."""
    unit = 1 if seconds <= 600 else 60
    whole = math.ceil(seconds / unit) * unit
    parts = zip((whole // 3600, whole % 3600 // 60, whole % 60), "hms", strict=True)
    return "".join(f"{number}{letter}" for number, letter in parts if number) or "0s"
