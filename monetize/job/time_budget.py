"""Measures how fast this machine paints a job, and sets the deadline of its `--time-budget`."""

import time

from monetize.job.deadline import Deadline
from monetize.job.job import Job
from monetize.job.speed import Speed
from monetize.painting.batch_plan import BatchPlan
from monetize.painting.batch_sizes import chunk_size
from monetize.painting.batching import BatchPainter
from monetize.painting.request import PaintRequest
from monetize.painting.spec import PainterSpec
from monetize.progress import Reporter
from monetize.prompts.prompt import Prompt


def start_deadline(
    time_budget: float,
    job: Job,
    spec: PainterSpec,
    plan: BatchPlan | None,
    painted: int,
    reporter: Reporter,
) -> tuple[Deadline, BatchPainter]:
    """Load a job's painter and time it; returns the job's deadline and the loaded painter.

    `time_budget` is in seconds. A job that is continued has a batch plan; `painted` is how many
    paintings it has.
    """
    reporter.say("Measuring how fast this machine paints, for --time-budget")
    photos, approximate = len(job.photos), job.settings.allow_approximate
    begin = time.monotonic()
    painter = BatchPainter.load(spec, photos, reporter, plan, approximate=approximate)
    loading = time.monotonic() - begin
    size = chunk_size(spec)
    request = PaintRequest.of(spec.tokenizer, Prompt(""), 0)
    requests = [request] * min(size, photos)
    speed = Speed.measure(
        lambda settings: painter.start(requests, settings).result(), spec.settings
    )
    missing = -(-max(0, photos - painted) // size)
    devices = len(spec.on_every_device())
    deadline = Deadline(
        time_budget,
        speed,
        spec.settings,
        reporter,
        photos=photos,
        chunks=missing,
        begin=job.begin,
        devices=devices,
        # If there are several, each loads its own painter.
        loading=loading if min(devices, missing) > 1 else 0.0,
        approximate=approximate,
    )
    return deadline, painter
