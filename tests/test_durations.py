from datetime import UTC, datetime

import pytest

from monetize.durations import format_duration, parse_duration, parse_moment


@pytest.mark.parametrize(
    ("text", "seconds", "shown"),
    [
        ("4h30m", 16200, "4h30m"),
        ("90m", 5400, "1h30m"),
        ("45s", 45, "45s"),
        ("601s", 601, "11m"),
        ("1h", 3600, "1h"),
    ],
)
def test_durations_are_parsed_and_rounded_up(text: str, seconds: float, shown: str) -> None:
    assert parse_duration(text) == seconds
    assert format_duration(seconds) == shown


@pytest.mark.parametrize("text", ["", "4", "1.5h", "m", "30m4h", "x" * 5000])
def test_other_text_is_not_a_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration such as 4h30m"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["9000h", "9" * 400 + "s", "9" * 5000 + "h"])
def test_a_duration_is_a_year_at_most(text: str) -> None:
    with pytest.raises(ValueError, match="is longer than a year"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1777627800", 1777627800),
        ("1777627800.25", 1777627800.25),
        ("2026-05-01T09:30Z", 1777627800),
        ("2026-05-01 11:30:00+02:00", 1777627800),
    ],
)
def test_moments_are_seconds_since_1970_or_iso_8601(text: str, seconds: float) -> None:
    assert parse_moment(text) == seconds
    assert datetime.fromtimestamp(seconds, UTC).year == 2026


def test_a_moment_without_a_zone_is_local() -> None:
    assert parse_moment("2026-05-01T09:30") == datetime(2026, 5, 1, 9, 30).timestamp()


@pytest.mark.parametrize("text", ["", "noon", "-5", "1e9", "9" * 5000, "0001-01-01T00:00", "09:30"])
def test_other_text_is_not_a_moment(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time such as 2026-05-01T09:30"):
        parse_moment(text)
