"""The plan and the assignment of chunks, on GPUs that are simulated by a clock."""

import pytest
from simulate_job import H100, T4, Device, Simulation


@pytest.mark.parametrize("seconds", [0, 60, 180, 300])
def test_a_slow_first_chunk_does_not_cost_the_others_their_steps(seconds: float) -> None:
    job = Simulation([Device(T4, extra=seconds), Device(T4, extra=seconds)], 440, 4.67 * 3600).run()
    assert job.now < 4.67 * 3600
    assert job.mean_steps > 49.5
    assert len(job.messages) <= 15


@pytest.mark.parametrize("seconds", [60, 180, 300])
def test_compiling_before_the_first_chunk_costs_no_steps(seconds: float) -> None:
    devices = [Device(T4, loading=seconds), Device(T4, loading=seconds)]
    assert Simulation(devices, 440, 4.67 * 3600).run().mean_steps == 50


def test_if_time_is_short_the_plan_fills_it_and_keeps_the_deadline() -> None:
    job = Simulation([Device(T4, extra=180), Device(T4, extra=180)], 440, 2 * 3600).run()
    assert 0.9 * 2 * 3600 < job.now < 2 * 3600


def test_a_slow_device_does_not_keep_a_fast_one_waiting() -> None:
    alone = Simulation([Device(H100)], 10).run()
    both = Simulation([Device(H100), Device(T4)], 10).run()
    assert both.now <= alone.now
    assert sorted(both.steps) == [50] * 10


def test_a_deadline_knows_the_speed_of_each_device() -> None:
    """The slow one is measured, so that the plan rises when the fast one is known."""
    job = Simulation([Device(T4), Device(H100)], 440, 3600).run()
    assert job.now < 3600
    assert job.steps[0] < 15
    assert job.steps[-1] == 50
    assert job.mean_steps > 45


def test_equal_devices_share_the_work_and_repeat_none_of_it() -> None:
    devices = [Device(T4), Device(T4)]
    alone = Simulation([Device(T4)], 10).run()
    assert Simulation(devices, 10).run().now == pytest.approx(alone.now / 2)
    assert not any(device.chunks for device in devices)
