"""Which of two processes gets which part."""

from pathlib import Path

from monetize.job.leases import Leases
from monetize.job.shared_parts import SharedParts

TODO = {3: "three", 5: "five", 8: "eight"}


def test_parts_are_taken_when_they_are_asked_for_and_only_once(tmp_path: Path) -> None:
    with Leases(tmp_path) as one, Leases(tmp_path) as two:
        mine = SharedParts("paint", one).claimed(TODO, lambda *_: False)
        others = SharedParts("paint", two).claimed(TODO, lambda *_: False)
        assert next(mine) == (3, "three")
        assert next(others) == (5, "five")
        assert list(mine) == [(8, "eight")]
        assert list(others) == []


def test_a_part_that_another_has_finished_is_left_out(tmp_path: Path) -> None:
    with Leases(tmp_path) as leases:
        parts = SharedParts("paint", leases)
        assert list(parts.claimed(TODO, lambda number, _: number == 5)) == [
            (3, "three"),
            (8, "eight"),
        ]


def test_a_part_that_is_given_up_goes_to_another(tmp_path: Path) -> None:
    with Leases(tmp_path) as one, Leases(tmp_path) as two:
        parts = SharedParts("paint", one)
        assert len(list(parts.claimed(TODO, lambda *_: False))) == 3
        parts.release(5)
        others = SharedParts("paint", two).claimed(TODO, lambda *_: False)
        assert list(others) == [(5, "five")]


def test_kinds_of_work_do_not_mix(tmp_path: Path) -> None:
    with Leases(tmp_path) as leases:
        for kind in ("paint", "caption"):
            parts = SharedParts(kind, leases).claimed(TODO, lambda *_: False)
            assert len(list(parts)) == 3
