"""A simulated cluster obeys what can be worked out by hand."""

from dataclasses import replace

import pytest
from click.testing import CliRunner
from simulate_cluster import Cluster, main, simulate

FAST_DRIVER = Cluster(8, chunk_seconds=2.0, driver_seconds=0.0, start=10.0)


def test_gpus_share_the_work() -> None:
    result = simulate(FAST_DRIVER, 16 * 800)
    assert result.seconds == pytest.approx(10 + 100 * 2.0)
    assert result.gpus_busy == pytest.approx(200 / 210)


def test_two_chunks_in_flight_hide_a_driver_that_keeps_up() -> None:
    slower = replace(FAST_DRIVER, driver_seconds=0.2)
    assert simulate(slower, 16 * 800).seconds == pytest.approx(210, abs=4)


def test_a_driver_that_does_not_keep_up_is_the_limit() -> None:
    many = replace(FAST_DRIVER, gpus=64, driver_seconds=0.2)
    result = simulate(many, 16 * 6400)
    assert result.seconds == pytest.approx(10 + 6400 * 0.2, rel=0.02)
    assert 0.97 < result.driver_busy <= 1
    more = simulate(replace(many, gpus=512), 16 * 6400)
    assert more.seconds == pytest.approx(result.seconds, rel=0.1)


def test_failures_cost_time_but_no_chunk() -> None:
    failing = replace(FAST_DRIVER, failures_per_hour=20.0)
    result = simulate(failing, 16 * 8000)
    whole = simulate(FAST_DRIVER, 16 * 8000)
    assert result.failures > 10
    assert whole.seconds < result.seconds < 1.3 * whole.seconds


def test_captions_are_sent_before_anything_is_painted() -> None:
    captioned = replace(FAST_DRIVER, captions=0.01)
    assert simulate(captioned, 16 * 800).seconds == pytest.approx(210 + 128)


def test_the_command_says_where_the_driver_becomes_the_limit() -> None:
    shown = CliRunner().invoke(main, ["--photos", "16000", "--gpus", "8"]).output
    assert "   8 GPUs: " in shown
    assert "The driver is the limit from 171 GPUs on." in shown
