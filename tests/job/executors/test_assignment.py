"""Which worker paints which chunk, on a clock that the tests advance."""

from monetize.job.executors.assignment import Assignment
from monetize.job.executors.base import Chunk
from monetize.settings import PaintSettings


class Workers:
    """Workers 0 and 1 with some chunks; `sent` has which worker was sent which chunk."""

    def __init__(self, chunks: int) -> None:
        self.now = 0.0
        self.assignment = Assignment(
            iter([Chunk(number, (), PaintSettings()) for number in range(chunks)]), lambda: self.now
        )
        for worker in (0, 1):
            self.assignment.join(worker)

    def sent(self) -> list[tuple[int, int]]:
        return [(worker, chunk.number) for worker, chunk in self.assignment.assign()]

    def finish(self, worker: int, at: float) -> int | None:
        self.now = at
        chunk = self.assignment.finish(worker)
        return None if chunk is None else chunk.number


def test_a_second_chunk_is_sent_only_after_a_first_is_done() -> None:
    workers = Workers(9)
    assert workers.sent() == [(0, 0), (1, 1)]
    assert workers.sent() == []
    assert workers.finish(0, at=5) == 0
    assert workers.sent() == [(0, 2), (0, 3)]


def test_a_worker_that_has_not_loaded_gets_nothing() -> None:
    workers = Workers(3)
    workers.assignment.leave(1)
    assert workers.sent() == [(0, 0)]
    workers.assignment.join(1)
    assert workers.sent() == [(1, 1)]


def test_what_a_slow_worker_has_not_finished_is_painted_by_an_idle_one() -> None:
    workers = Workers(2)
    workers.sent()
    workers.finish(0, at=5)
    workers.now = 5.1
    assert workers.sent() == [(0, 1)], "worker 1 has had its chunk for longer than worker 0 needs"
    assert workers.finish(0, at=10) == 1
    assert workers.assignment.all_done
    assert workers.finish(1, at=99) is None, "it was done already"


def test_an_equal_worker_is_left_to_finish_its_chunk() -> None:
    workers = Workers(4)
    workers.sent()
    workers.finish(0, at=5)
    workers.finish(1, at=6)
    assert workers.sent() == [(0, 2), (1, 3)]
    workers.finish(0, at=10)
    assert workers.sent() == [], "worker 1 will be done at 11, worker 0 would be at 15"
    assert not workers.assignment.all_done
    workers.finish(1, at=11)
    assert workers.assignment.all_done


def test_a_chunk_that_waits_behind_another_is_taken_by_an_idle_worker() -> None:
    workers = Workers(5)
    workers.sent()
    workers.finish(0, at=5)
    assert workers.sent() == [(0, 2), (0, 3)]
    workers.finish(1, at=5.5)
    assert workers.sent() == [(1, 4)]
    workers.finish(1, at=9.9)
    assert workers.sent() == [(1, 3)]


def test_a_chunk_that_never_comes_is_taken_over() -> None:
    workers = Workers(4)
    workers.sent()
    workers.finish(0, at=5)
    workers.finish(1, at=5)
    workers.sent()
    workers.finish(0, at=10)
    workers.now = 14
    assert workers.sent() == []
    workers.now = 16
    assert workers.sent() == [(0, 3)], "it takes three times as long as the one before"


def test_the_chunks_of_a_worker_that_died_go_to_the_others_once() -> None:
    workers = Workers(2)
    workers.sent()
    workers.finish(0, at=5)
    workers.now = 6
    assert workers.sent() == [(0, 1)]
    workers.assignment.leave(1)
    assert workers.sent() == [], "worker 0 has it already"
    assert workers.finish(0, at=10) == 1
    assert workers.assignment.all_done


def test_a_chunk_whose_worker_died_is_painted_alone() -> None:
    workers = Workers(9)
    workers.sent()
    workers.finish(0, at=5)
    assert workers.sent() == [(0, 2), (0, 3)]
    assert [chunk.number for chunk in workers.assignment.leave(0)] == [2, 3]
    workers.finish(1, at=6)
    assert workers.sent() == [(1, 2)], "nothing waits behind a chunk that may kill"
    workers.assignment.join(0)
    assert workers.sent() == [(0, 3)]
    workers.finish(1, at=12)
    assert workers.sent() == [(1, 4), (1, 5)]


def test_a_chunk_that_may_kill_is_not_taken_over() -> None:
    workers = Workers(2)
    workers.sent()
    workers.assignment.leave(1)
    workers.finish(0, at=5)
    workers.assignment.join(1)
    assert workers.sent() == [(0, 1)]
    workers.now = 99
    assert workers.sent() == []


def test_a_chunk_that_is_given_up_is_sent_to_nobody() -> None:
    workers = Workers(2)
    workers.sent()
    [lost] = workers.assignment.leave(1)
    workers.assignment.drop(lost)
    workers.finish(0, at=5)
    assert workers.sent() == []
    assert workers.assignment.all_done


def test_chunks_may_be_finished_in_another_order_than_they_were_sent() -> None:
    workers = Workers(4)
    workers.sent()
    workers.finish(0, at=5)
    assert workers.sent() == [(0, 2), (0, 3)]
    done = workers.assignment.finish(0, 3)
    assert done is not None
    assert done.number == 3
    assert workers.finish(0, at=9) == 2
