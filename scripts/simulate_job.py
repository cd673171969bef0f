"""Simulate how a job keeps its time budget and shares its chunks, on GPUs that you do not have.

\b
    python scripts/simulate_job.py deadline        # two T4s, 7,038 photos, 4.67 hours
    python scripts/simulate_job.py uneven          # an H100 and a T4, 160 photos

The plan and the assignment of chunks are monetize's own; painting only moves a clock.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import click

from monetize.job.deadline import Deadline
from monetize.job.executors.assignment import Assignment
from monetize.job.executors.base import Chunk
from monetize.job.speed import Speed
from monetize.progress import Reporter
from monetize.settings import PaintSettings

FIFTY = PaintSettings(num_inference_steps=50, guidance_scale=7.5, scheduler="pndm", size=512)
IMAGES_PER_CHUNK = 16
# Seconds for a chunk.
T4 = Speed(fixed=1.5, a_pass=0.514)
H100 = Speed(fixed=0.2, a_pass=0.0216)


@dataclass
class Device:
    """A GPU that takes some seconds to load, and some more for its first chunk."""

    speed: Speed
    loading: float = 0.0
    extra: float = 0.0
    chunks: list[Chunk] = field(default_factory=list)
    taken: float = 0.0

    def begin(self) -> float:
        """Return how long the next chunk will take."""
        self.taken = self.speed.seconds(self.chunks[0].settings) + self.extra
        self.extra = 0.0
        return self.taken


class Simulation(Reporter):
    """A job on several devices; the speed measured beforehand is that of the first."""

    def __init__(self, devices: Sequence[Device], chunks: int, budget: float | None = None) -> None:
        self.now = 0.0
        self.steps: list[int] = []
        self.messages: list[str] = []
        self._devices = devices
        self._in_flight = 0
        self._events = [(device.loading, n, "ready") for n, device in enumerate(devices)]
        self._assignment = Assignment(self._send(chunks), lambda: self.now)
        self._deadline: Deadline | None = None
        if budget is not None:
            self._deadline = Deadline(
                budget,
                devices[0].speed,
                FIFTY,
                self,
                photos=IMAGES_PER_CHUNK * chunks,
                chunks=chunks,
                begin=0.0,
                devices=len(devices),
                clock=lambda: self.now,
            )
            self._deadline.plan(0)

    @property
    def mean_steps(self) -> float:
        """The mean number of steps over all chunks."""
        return sum(self.steps) / len(self.steps)

    def say(self, text: str) -> None:
        """Keep a message."""
        self.messages.append(text)

    warn = say

    def run(self) -> "Simulation":
        """Paint all chunks."""
        heapq.heapify(self._events)
        while not self._assignment.all_done:
            self.now, n, event = heapq.heappop(self._events)
            if event == "ready":
                self._assignment.join(n)
            elif event == "painted":
                self._finish(n)
            for to, chunk in self._assignment.assign():
                self._devices[to].chunks.append(chunk)
                if len(self._devices[to].chunks) == 1:
                    self._begin(to)
            if self._assignment.some_idle and not any(e == "look" for *_, e in self._events):
                heapq.heappush(self._events, (self.now + 1, -1, "look"))
        return self

    def _send(self, chunks: int) -> Iterator[Chunk]:
        for number in range(chunks):
            settings = FIFTY
            if self._deadline is not None:
                settings = self._deadline.next(chunks - number, self._in_flight)
            self._in_flight += 1
            yield Chunk(number, (), settings)

    def _begin(self, n: int) -> None:
        heapq.heappush(self._events, (self.now + self._devices[n].begin(), n, "painted"))

    def _finish(self, n: int) -> None:
        device = self._devices[n]
        chunk = device.chunks.pop(0)
        if self._assignment.finish(n) is not None:
            self._in_flight -= 1
            self.steps.append(chunk.settings.num_inference_steps or 0)
            if self._deadline is not None:
                self._deadline.took(chunk.settings, device.taken, n)
        if device.chunks:
            self._begin(n)


@click.group(help=__doc__)
def main() -> None:
    """Choose what to simulate."""


@main.command()
def deadline() -> None:
    """Devices that compile before their first chunk, and within it."""
    for seconds in (0, 60, 180, 300):
        for place, device in (
            ("before", Device(T4, loading=seconds)),
            ("within", Device(T4, extra=seconds)),
        ):
            job = Simulation([device, replace(device, chunks=[])], 440, 4.67 * 3600).run()
            click.echo(
                f"{seconds:3} s {place} the first chunk: {job.mean_steps:.1f} steps on average, "
                f"{min(job.steps)} at least, done after {job.now / 3600:.2f} h of 4.67, plan "
                f"changed {len(job.messages) - 1} times"
            )


@main.command()
def uneven() -> None:
    """One device that is twenty times as fast as the other."""
    job = Simulation([Device(H100), Device(T4)], 10).run()
    alone = Simulation([Device(H100)], 10).run()
    click.echo(f"H100 and T4: {job.now:.0f} s; H100 alone: {alone.now:.0f} s")


if __name__ == "__main__":
    main()
