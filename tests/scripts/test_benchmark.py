"""scripts/bench.py measures what it claims to, and only if the pictures agree."""

import json
from pathlib import Path
from threading import Event, Thread
from typing import Any

import bench
import pytest
import torch
from benchmark import measure
from benchmark.job import Stopwatch
from benchmark.peers import ARCHITECTURES, Peer
from click.testing import CliRunner, Result
from helpers import BUNDLED_PHOTOS, Tiny

from monetize.painting.attention.token_weights import TokenWeights
from monetize.settings import PaintSettings

SMALL = ARCHITECTURES["small"]
FEWEST = ("--steps", "1", "--images", "1", "--repeats", "2", "--peers", "abd")


def run(*args: object) -> Result:
    return CliRunner().invoke(bench.main, [str(arg) for arg in args], catch_exceptions=False)


@pytest.mark.slow
def test_the_painters_are_compared(tmp_path: Path) -> None:
    output, plot = tmp_path / "result.json", tmp_path / "result.png"
    result = run("painters", *FEWEST, "--output", output, "--plot", plot)
    assert result.exit_code == 0, result.output
    measured = json.loads(output.read_text())
    assert list(measured["peers"]) == [
        "tutorial loop",
        "diffusers, batched",
        "monetize",
        "monetize, weighted",
    ]
    assert measured["greatest_difference_fp32"] < 1e-4
    assert measured["peers"]["tutorial loop"]["ratio_to_first"] == 1
    for row in measured["peers"].values():
        assert row["range"][0] <= row["images_per_second"] <= row["range"][1]
    assert plot.exists()


def test_timings_are_refused_if_the_pictures_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TokenWeights, "_scale", lambda self, _module, _args, values: 1.01 * values)
    result = run("painters", *FEWEST)
    assert result.exit_code == 1
    assert "timings would mean nothing" in result.output


def test_a_peer_is_on_the_device_only_during_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[str] = []

    class Pipeline:
        def to(self, device: torch.device, **_: object) -> None:
            places.append(device.type)

    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: places.append("emptied"))
    pipeline: Any = Pipeline()
    with Peer("a peer", lambda *_: [], 1, pipeline).on(torch.device("cuda")):
        assert places == ["cuda"]
    assert places == ["cuda", "cpu", "emptied"]


@pytest.mark.slow
def test_the_longest_kernels_are_listed() -> None:
    result = run("kernels")
    assert result.exit_code == 0, result.output
    assert "conv" in result.output


@pytest.mark.slow
def test_the_work_grows_with_the_evaluations() -> None:
    counts = [
        measure.flops_of_a_picture(SMALL, PaintSettings(num_inference_steps=steps))
        for steps in (2, 5, 8)
    ]
    assert counts[2] - counts[1] == counts[1] - counts[0] > 0


def test_what_overlaps_is_counted_once() -> None:
    now = 0.0
    begun, go_on = Event(), Event()
    watch = Stopwatch(lambda: now)

    def first() -> None:
        begun.set()
        assert go_on.wait(30)

    def second() -> None:
        nonlocal now
        go_on.set()
        thread.join()
        now += 3

    thread = Thread(target=watch.around(first))
    thread.start()
    assert begun.wait(30)
    now += 2
    watch.around(second)()
    assert watch.seconds == 5
    now += 10
    watch.around(second)()
    assert watch.seconds == 8


@pytest.mark.slow
def test_the_time_of_a_job_is_split(tiny: Tiny, tmp_path: Path) -> None:
    output = tmp_path / "job.json"
    models = ("--captioner", tiny.captioner, "--model", tiny.painter, "--steps", 2)
    result = run(
        "job", "--photos", BUNDLED_PHOTOS, "--count", 3, *models, "--threads", 1, "--output", output
    )
    assert result.exit_code == 0, result.output
    [row] = json.loads(output.read_text())
    parts = row["seconds"]
    assert row["photos"] == 3
    assert 0 < parts["caption"] < parts["whole"]
    assert 0 < parts["paint"] < parts["whole"]
    assert 0 < parts["rest"] <= parts["idle"] < parts["whole"]
    assert 0 < row["processor_ms_a_photo_outside_models"] < row["processor_ms_a_photo"]
