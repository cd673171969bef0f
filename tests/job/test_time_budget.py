"""Jobs with `--time-budget`, by the command line."""

import csv
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import Result
from helpers import FinishedJob, Tiny, members, names
from PIL import Image

from monetize.job.deadline import Deadline
from monetize.job.executors.chunk_painter import to_jpeg
from monetize.settings import PaintSettings, RunSettings

Run = Callable[..., Result]


def test_a_job_with_enough_time_is_the_job_without_a_budget(
    run_job: Run, finished: FinishedJob, photos: Path, tmp_path: Path
) -> None:
    result = run_job(photos, tmp_path / "timed.zip", "--time-budget", "1h")
    assert "Plan: 2 steps as requested, done about" in result.stderr
    assert (tmp_path / "timed.zip").read_bytes() == finished.archive.read_bytes()


def test_an_impossible_budget_is_refused_and_the_job_continues_with_a_larger_one(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    result = run_job(photos, tmp_path / "images.zip", "--time-budget", "1s")
    assert result.exit_code == 2
    assert "--time-budget 1s is too short for 6 photos" in result.stderr
    assert run_job(photos, tmp_path / "images.zip", "--time-budget", "5m").exit_code == 0


def test_a_refused_job_that_made_nothing_leaves_nothing(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    captions = tmp_path / "captions.csv"
    rows = [f"{photo.name},a lake" for photo in photos.iterdir()]
    captions.write_text("\n".join(["photo,caption", *rows]))
    budget = ("--time-budget", "1s", "--captions", captions)
    assert run_job(photos, tmp_path / "images.zip", *budget).exit_code == 2
    assert names(tmp_path) == {"photos", "captions.csv"}


def test_the_report_lists_what_each_painting_was_painted_with(
    run_job: Run,
    cli: Run,
    tiny: Tiny,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings: Iterator[int] = iter([3, 3, 3, 2, 2, 2])

    def fewer(self: Deadline, *_: object) -> PaintSettings:
        return self._with_steps(next(settings))  # which guides in an interval where that is allowed

    monkeypatch.setattr(Deadline, "next", fewer)
    budget = ("--time-budget", "1h", "--allow-approximate")
    result = run_job(photos, tmp_path / "images.zip", *budget)
    assert result.exit_code == 0, result.stderr
    with (tmp_path / "images.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    evaluations = [row["evaluations"] for row in rows]
    assert evaluations == ["4", "4", "4", "3", "3", "3"], "PNDM's steps and one more"
    interval = "--guidance-start 0.2 --guidance-end 0.9"
    assert rows[0]["settings"] == f"--num-inference-steps 3 {interval}"
    assert rows[5]["settings"] == interval, "the job was to have 2 steps"
    paint = ("paint", rows[0]["prompt"], "--seed", rows[0]["seed"], *rows[0]["settings"].split())
    assert cli(*paint, "--model", tiny.painter, "-o", tmp_path / "again.png").exit_code == 0
    with Image.open(tmp_path / "again.png") as image:
        expected = to_jpeg(image, RunSettings.output_size, RunSettings.jpeg_quality)
    assert members(tmp_path / "images.zip")[rows[0]["file"]] == expected


def test_approximation_without_a_budget_is_refused(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    result = run_job(photos, tmp_path / "images.zip", "--allow-approximate")
    assert result.exit_code == 2
    assert "--allow-approximate needs --time-budget" in result.stderr


def test_the_time_since_a_given_moment_is_part_of_the_budget(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    """An hour is plenty for six tiny paintings, but not what is left of it."""
    budget = ("--time-budget", "1h", "--since")
    result = run_job(photos, tmp_path / "images.zip", *budget, time.time() - 3599)
    assert result.exit_code == 2
    assert "--time-budget 1h is too short for 6 photos" in result.stderr
    assert re.search(r"they take about 1h\w+, 1h\w* of which are over: give --time", result.stderr)
    began = datetime.fromtimestamp(time.time() - 60).isoformat()
    result = run_job(photos, tmp_path / "images.zip", *budget, began)
    assert result.exit_code == 0
    assert "Plan: 2 steps as requested" in result.stderr


@pytest.mark.parametrize(
    ("ago", "budget", "message"),
    [
        (7200, ["--time-budget", "1h"], "--since was 2h1m ago, so the --time-budget of 1h is over"),
        (-100, ["--time-budget", "1h"], "in the future"),
        (10, [], "--since needs --time-budget"),
    ],
)
def test_a_moment_that_leaves_no_time_is_refused_before_anything_is_loaded(
    run_job: Run, photos: Path, tmp_path: Path, ago: float, budget: list[str], message: str
) -> None:
    result = run_job(photos, tmp_path / "a.zip", *budget, "--since", time.time() - ago)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Loading" not in result.stderr
