import pytest

from monetize.progress import Reporter


def test_a_reporter_prints_nothing_unless_a_subclass_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reporter = Reporter()
    reporter.say("a line")
    reporter.warn("a warning")
    with reporter.stage("Painting", 2, "painting") as stage:
        stage.step("step 1/2")
        stage.advance()
    assert capsys.readouterr() == ("", "")
