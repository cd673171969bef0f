"""The progress of a stage as a bar and as lines."""

import io
import re

import pytest

from monetize.cli.progress_display import BarStage, LineStage, pace


@pytest.mark.parametrize(
    ("rate", "shown"),
    [(None, "? photos/s"), (0.0, "? photos/s"), (4.516, "4.52 photos/s"), (0.5, "2.0 s per photo")],
)
def test_a_pace_is_shown_as_people_say_it(rate: float | None, shown: str) -> None:
    assert pace(rate, "photo") == shown


def test_lines_come_at_the_start_now_and_then_and_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    stage = LineStage("Painting", 4, "painting", 1, said.append)
    stage.step("step 1/50")
    stage.advance()
    assert said == ["Painting: 4 paintings, 1 of them already done"]
    monkeypatch.setattr("monetize.cli.progress_display.SECONDS_BETWEEN_LINES", 0)
    stage.advance()
    stage.advance()
    stage.end()
    assert re.fullmatch(r"Painting: 3/4, 00:00 left, [\d.]+ paintings/s", said[1])
    assert re.fullmatch(r"Painting: 4/4, took 00:00, [\d.]+ paintings/s", said[2])


def test_a_bar_shows_the_step_and_leaves_without_it() -> None:
    stream = io.StringIO()
    stage = BarStage("Painting", 2, "painting", 0, stream)
    stage.step("step 1/50")
    stage.advance(2)
    stage.end()
    *_, last = stream.getvalue().rstrip().split("\r")
    assert "Painting 100%" in last
    assert "2/2" in last
    assert "step" not in last
