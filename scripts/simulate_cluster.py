"""Simulate a job on many GPUs: where the driver becomes the limit, and what a job costs.

\b
    python scripts/simulate_cluster.py                          # a million photos, 8 to 512 GPUs
    python scripts/simulate_cluster.py --gpus 16 --photos 7038 --chunk-seconds 54

One process, the driver, sends chunks and saves what comes back, as `monetize run --executor ray`
does; each GPU has one chunk in work and at most one more that waits. A GPU that fails loses both
and starts again. The figures are options, to be measured on the machines at hand.

Of the defaults, 2.4 seconds a chunk is an assumption for an H100 (16 paintings of 512 × 512 in 50
steps), as are failures and price. To save a chunk took 0.014 seconds with workers that return
random bytes, on two cores and a local disk; to send a photo of 100 kB took 0.0005.
"""

import heapq
import random
from collections import deque
from dataclasses import dataclass, field

import click

SECONDS_PER_HOUR = 3600


@dataclass(frozen=True)
class Cluster:
    """What is measured: seconds of a chunk on a GPU and in the driver, and how a GPU fails.

    `captions` are the seconds that the driver takes to read and send a photo, and `start` those
    until a GPU paints.
    """

    gpus: int
    chunk_seconds: float
    driver_seconds: float
    captions: float = 0.0
    start: float = 60.0
    failures_per_hour: float = 0.0


@dataclass
class Result:
    """How a job went; the last two are fractions of the time."""

    seconds: float
    failures: int
    driver_busy: float
    gpus_busy: float


@dataclass
class Gpu:
    """A GPU with the numbers of its chunks; what was begun before a failure does not count."""

    chunks: deque[int] = field(default_factory=deque)
    lives: int = 0


class Simulation:
    """A job of so many chunks; paintings of equal size take equal time."""

    def __init__(self, cluster: Cluster, chunks: int, seed: int = 0) -> None:
        self._cluster = cluster
        self._waiting = deque(range(chunks))
        self._left = chunks
        self._random = random.Random(seed)
        self._gpus = [Gpu() for _ in range(cluster.gpus)]
        self._events: list[tuple[float, int, str, int, int]] = []
        self._count = 0
        self._driver_free = 0.0
        self._failures = 0

    def run(self, begin: float = 0.0) -> Result:
        """Paint all chunks; the driver is busy with something else until `begin`."""
        cluster = self._cluster
        chunks = self._left
        self._driver_free = begin
        for n in range(cluster.gpus):
            self._start(n, begin)
        now = begin
        while self._left:
            now, _, event, n, lives = heapq.heappop(self._events)
            if event == "saved":
                self._left -= 1  # also if the GPU has failed since
            if lives == self._gpus[n].lives:
                getattr(self, f"_{event}")(n, now)
        worked = chunks * cluster.chunk_seconds / (cluster.gpus * (now - begin))
        driven = chunks * cluster.driver_seconds / (now - begin)
        return Result(now, self._failures, driven, worked)

    def _start(self, n: int, now: float) -> None:
        self._add(now + self._cluster.start, "loaded", n)
        if self._cluster.failures_per_hour:
            hours = self._random.expovariate(self._cluster.failures_per_hour)
            self._add(now + SECONDS_PER_HOUR * hours, "failed", n)

    def _loaded(self, n: int, now: float) -> None:
        self._send(n, now)

    def _painted(self, n: int, now: float) -> None:
        """The chunk waits for the driver; the GPU goes on with its next one."""
        gpu = self._gpus[n]
        gpu.chunks.popleft()
        if gpu.chunks:
            self._add(now + self._cluster.chunk_seconds, "painted", n)
        self._driver_free = max(self._driver_free, now) + self._cluster.driver_seconds
        self._add(self._driver_free, "saved", n)

    def _saved(self, n: int, now: float) -> None:
        self._send(n, now)

    def _send(self, n: int, now: float) -> None:
        chunks = self._gpus[n].chunks
        while self._waiting and len(chunks) < 2:
            chunks.append(self._waiting.popleft())
            if len(chunks) == 1:
                self._add(now + self._cluster.chunk_seconds, "painted", n)

    def _failed(self, n: int, now: float) -> None:
        gpu = self._gpus[n]
        self._waiting.extendleft(reversed(gpu.chunks))
        self._failures += 1
        self._gpus[n] = Gpu(lives=gpu.lives + 1)
        self._start(n, now)

    def _add(self, when: float, event: str, n: int) -> None:
        self._count += 1
        heapq.heappush(self._events, (when, self._count, event, n, self._gpus[n].lives))


def simulate(cluster: Cluster, photos: int, per_chunk: int = 16, seed: int = 0) -> Result:
    """Send photos to be captioned, then paint them."""
    chunks = -(-photos // per_chunk)
    return Simulation(cluster, chunks, seed).run(begin=photos * cluster.captions)


@click.command(help=__doc__)
@click.option("--gpus", type=int, multiple=True, default=(8, 64, 512), show_default=True)
@click.option("--photos", default=1_000_000, show_default=True)
@click.option("--per-chunk", default=16, show_default=True, help="Paintings of a chunk.")
@click.option("--chunk-seconds", default=2.4, show_default=True, help="Of a chunk on a GPU.")
@click.option("--driver-seconds", default=0.014, show_default=True, help="To save a chunk.")
@click.option("--caption-seconds", default=0.0005, show_default=True, help="To send a photo.")
@click.option("--start-seconds", default=60.0, show_default=True, help="Until a GPU paints.")
@click.option("--failures", default=0.05, show_default=True, help="Of a GPU in an hour.")
@click.option("--price", default=2.5, show_default=True, help="Of a GPU for an hour.")
def main(
    gpus: tuple[int, ...],
    photos: int,
    per_chunk: int,
    chunk_seconds: float,
    driver_seconds: float,
    caption_seconds: float,
    start_seconds: float,
    failures: float,
    price: float,
) -> None:
    """Print a line for each number of GPUs, and where the driver becomes the limit."""
    for count in gpus:
        cluster = Cluster(
            count, chunk_seconds, driver_seconds, caption_seconds, start_seconds, failures
        )
        result = simulate(cluster, photos, per_chunk)
        hours = result.seconds / SECONDS_PER_HOUR
        click.echo(
            f"{count:4} GPUs: {hours:6.1f} hours, {count * hours:6.0f} GPU hours, "
            f"{count * hours * price:6.0f} in money, {result.failures} failures; "
            f"GPUs busy {result.gpus_busy:.0%}, driver {result.driver_busy:.0%} of painting"
        )
    limit = chunk_seconds / driver_seconds
    click.echo(f"The driver is the limit from {limit:.0f} GPUs on.")


if __name__ == "__main__":
    main()
