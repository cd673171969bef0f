"""Durations such as `4h30m`: parsing and formatting."""

import math
import re


def parse_duration(text: str) -> float:
    """Return the seconds of `4h30m`, `90m` or `45s`; raises ValueError for any other text."""
    match = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", text)
    if not match or not any(match.groups()):
        raise ValueError(f"{text!r} is not a duration such as 4h30m, 90m or 45s")
    hours, minutes, seconds = (int(each or 0) for each in match.groups())
    return float(3600 * hours + 60 * minutes + seconds)


def format_duration(seconds: float) -> str:
    """Format a duration, rounded up: to seconds up to ten minutes, then to minutes."""
    unit = 1 if seconds <= 600 else 60
    whole = math.ceil(seconds / unit) * unit
    parts = zip((whole // 3600, whole % 3600 // 60, whole % 60), "hms", strict=True)
    return "".join(f"{number}{letter}" for number, letter in parts if number) or "0s"
