"""The plan of a time budget, on a clock that the tests advance."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from click.testing import Result
from helpers import Listener

from monetize.durations import parse_duration
from monetize.errors import PaintingError, UsageError
from monetize.job.deadline import Deadline
from monetize.job.speed import Speed
from monetize.progress import Reporter
from monetize.settings import PaintSettings

Run = Callable[..., Result]
FIFTY = PaintSettings(num_inference_steps=50, guidance_scale=7.5, scheduler="ddim")
# 100 passes make 100.5 s a chunk.
SPEED = Speed(fixed=0.5, a_pass=1.0)


class Clock:
    """A clock that stands still unless a test advances it."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def deadline(budget: float, reporter: Reporter | None = None, **options: Any) -> Deadline:
    """Of a job of ten chunks, one photo each."""
    usual = {"photos": 10, "chunks": 10, "begin": Clock.now, "clock": Clock()}
    return Deadline(budget, SPEED, FIFTY, reporter or Reporter(), **{**usual, **options})


def test_all_steps_are_planned_if_there_is_time() -> None:
    listener = Listener()
    plenty = deadline(2000, listener)
    plenty.plan(100)
    assert plenty.planned == FIFTY
    assert listener.said[0].startswith("Plan: 50 steps as requested, done about ")


def test_the_plan_fills_the_time_and_leaves_a_reserve() -> None:
    half = deadline(500)
    half.plan(100)
    steps = half.planned.num_inference_steps
    # (500 s less reserve and captions) / 10 chunks, 95% of it.
    assert steps == int((0.95 * (490 - 1.5 - 100) / 10 - 0.5) / 2) == 18
    assert half.planned.guidance_start == 0


def test_guidance_is_left_out_of_some_steps_only_if_allowed_and_needed() -> None:
    half = deadline(500, approximate=True)
    half.plan(100)
    assert half.planned.num_inference_steps == 21
    assert (half.planned.guidance_start, half.planned.guidance_end) == (0.2, 0.9)
    plenty = deadline(2000, approximate=True)
    plenty.plan(100)
    assert plenty.planned == FIFTY


def test_from_photos_more_steps_fit_and_at_least_one_is_made() -> None:
    settings = replace(FIFTY, strength=0.1)
    usual = {"photos": 10, "chunks": 10, "begin": Clock.now, "clock": Clock()}
    job = Deadline(500, SPEED, settings, Reporter(), **usual)  # type: ignore[arg-type]
    job.plan(100)
    assert job.planned == settings, "five steps are made"
    short = Deadline(40, SPEED, settings, Reporter(), **usual)  # type: ignore[arg-type]
    short.plan(0)
    assert short.planned.num_inference_steps == 19, "one step is made"
    with pytest.raises(UsageError, match="with 10 steps, the fewest"):
        Deadline(20, SPEED, settings, Reporter(), **usual).plan(0)  # type: ignore[arg-type]


def test_several_devices_share_the_chunks() -> None:
    both = deadline(500, devices=2)
    both.plan(100)
    assert both.planned.num_inference_steps == int((0.95 * (490 - 1.5 - 100) / 5 - 0.5) / 2)


def test_a_budget_that_cannot_be_kept_is_refused_with_one_that_can() -> None:
    with pytest.raises(UsageError, match=r"2m is too short for 10 photos .* 8 steps") as refused:
        deadline(120).plan(100)
    smallest = parse_duration(str(refused.value).split("--time-budget ")[2].split(" ")[0])
    assert smallest < 330
    deadline(smallest).plan(100)


def test_a_job_that_falls_behind_gets_fewer_steps_and_ends_in_time() -> None:
    clock, listener = Clock(), Listener()
    job = deadline(1100, listener, clock=clock)
    job.plan(0)
    assert job.planned == FIFTY
    given = []
    for left in range(10, 0, -1):
        settings = job.next(left, 0)
        given.append(settings.num_inference_steps or 0)
        # From the third chunk on something else uses half of the machine.
        seconds = SPEED.seconds(settings) * (2 if left <= 8 else 1)
        clock.now += seconds
        job.took(settings, seconds)
    assert clock.now <= Clock.now + 1100
    assert given[:3] == [50, 50, 50]
    assert given == sorted(given, reverse=True)
    assert given[-1] < 30
    assert listener.warnings[0].startswith("behind the plan: the rest gets ")
    assert len(listener.warnings) == len(set(given)) - 1


def test_steps_are_restored_after_a_single_slow_chunk() -> None:
    """Such as when a device compiles while it paints its first chunk."""
    clock, listener = Clock(), Listener()
    job = deadline(5000, listener, clock=clock, photos=40, chunks=40)
    job.plan(0)
    given = []
    for left in range(40, 0, -1):
        settings = job.next(left, 0)
        given.append(settings.num_inference_steps or 0)
        seconds = SPEED.seconds(settings) + (300 if left == 40 else 0)
        clock.now += seconds
        job.took(settings, seconds)
    assert clock.now <= Clock.now + 5000
    assert min(given) < 40
    assert given[-10:] == [50] * 10
    assert "behind the plan: the rest gets " in listener.warnings[0]
    assert listener.said[-1] == "ahead of the plan: the rest gets 50 steps as requested"


def test_the_speed_of_each_device_is_learned() -> None:
    clock = Clock()
    job = deadline(600, clock=clock, devices=2, chunks=12)
    job.plan(0)
    assert job.planned.num_inference_steps == 46
    for _ in range(20):
        job.took(FIFTY, SPEED.seconds(FIFTY), device=0)
        job.took(FIFTY, SPEED.seconds(FIFTY) / 10, device=1)
    assert job.next(12, 0) == FIFTY


def test_workers_that_load_first_leave_less_time_for_steps() -> None:
    at_once, later = deadline(500), deadline(500, loading=100)
    at_once.plan(0)
    later.plan(0)
    steps = [job.planned.num_inference_steps or 0 for job in (at_once, later)]
    assert steps[1] == pytest.approx(0.8 * steps[0], abs=1)


def test_it_stops_when_not_even_one_step_fits() -> None:
    clock = Clock()
    job = deadline(1100, clock=clock)
    job.plan(0)
    clock.now += 1085
    with pytest.raises(PaintingError, match="budget of 19m is used up with 9 chunks"):
        job.next(9, 0)


def test_a_budget_that_is_too_short_is_refused_in_plain_words() -> None:
    with pytest.raises(UsageError) as refused:
        deadline(120).plan(0)
    assert re.search(r"they take about (\w+): give --time-budget \1 or more", str(refused.value))


def test_a_time_on_another_day_has_its_date() -> None:
    listener = Listener()
    deadline(40 * 3600, listener).plan(0)
    [said] = listener.said
    assert re.search(r"the deadline is \d{4}-\d\d-\d\d \d\d:\d\d$", said)
