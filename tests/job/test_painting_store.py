from collections.abc import Sequence
from pathlib import Path

import pytest
from helpers import names

from monetize.job.painting_store import NewPainting, PaintingStore


def painting(identity: str, data: bytes = b"jpeg", flagged: bool = False) -> NewPainting:
    return NewPainting(identity, f"{identity}.jpg", data, 15, flagged, "--steps 3")


@pytest.fixture
def store(tmp_path: Path) -> PaintingStore:
    return PaintingStore(tmp_path / "paintings")


def folders(store: PaintingStore) -> Sequence[Path]:
    return sorted(store.folder.iterdir())


def test_an_empty_store_has_nothing(store: PaintingStore) -> None:
    saved = store.load()
    assert (saved.paintings, saved.chunks) == ({}, frozenset())
    assert (saved.damaged, store.count()) == (0, 0)


def test_paintings_are_found_by_identity_with_what_is_reported(store: PaintingStore) -> None:
    store.save(0, [painting("a", b"A"), painting("b", b"B", flagged=True)])
    store.save(1, [painting("c", b"C")])
    saved = store.load()
    assert {key: each.path.read_bytes() for key, each in saved.paintings.items()} == {
        "a": b"A",
        "b": b"B",
        "c": b"C",
    }
    assert saved.chunks == {("a", "b"), ("c",)}
    assert saved.damaged == 0
    found = saved.paintings["b"]
    assert (found.evaluations, found.flagged, found.settings) == (15, True, "--steps 3")
    assert store.count() == 3


def test_chunks_of_one_number_from_other_plans_live_side_by_side(store: PaintingStore) -> None:
    store.save(0, [painting("a")])
    store.save(0, [painting("b")])
    assert set(store.load().paintings) == {"a", "b"}


def test_half_a_chunk_does_not_count(store: PaintingStore) -> None:
    store.save(0, [painting("a")])
    [chunk] = folders(store)
    half = chunk.with_name(chunk.name + ".part")
    chunk.rename(half)
    assert store.load().paintings == {}
    assert store.count() == 0
    (half / "old.jpg").write_bytes(b"old")
    store.save(0, [painting("a")])
    assert names(store.folder) == {chunk.name}
    assert names(chunk) == {"a.jpg", "chunk.json"}


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"jpe"),
        lambda path: path.write_bytes(b"jpfg"),
        lambda path: path.unlink(),
    ],
    ids=["emptied", "cut", "flipped", "gone"],
)
def test_a_damaged_painting_is_missing_and_the_others_stay(store: PaintingStore, damage) -> None:  # type: ignore[no-untyped-def]
    store.save(0, [painting("a"), painting("b")])
    damage(folders(store)[0] / "a.jpg")
    saved = store.load()
    assert set(saved.paintings) == {"b"}
    assert saved.damaged == 1
    assert saved.chunks == {("a", "b")}, "so that it is painted in its batch again"


@pytest.mark.parametrize("at", range(0, 300, 7))
def test_any_flipped_bit_in_a_record_is_noticed(store: PaintingStore, at: int) -> None:
    store.save(0, [painting("a"), painting("b")])
    record = folders(store)[0] / "chunk.json"
    data = bytearray(record.read_bytes())
    data[at % len(data)] ^= 4
    record.write_bytes(data)
    saved = store.load()
    assert (saved.paintings, saved.damaged) == ({}, 1)
    store.save(0, [painting("a"), painting("b")])
    assert set(store.load().paintings) == {"a", "b"}
