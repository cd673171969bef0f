import os
from pathlib import Path

import pytest

from monetize.images.reading import read_versioned
from monetize.job.caption_log import CaptionedPhoto, CaptionLog, PhotoRecord, SharedCaptions

RECORD = PhotoRecord(3, 5, "0f")


def entry(photo: str, caption: str, captioner: str = "vit") -> CaptionedPhoto:
    return CaptionedPhoto(photo, RECORD, caption, captioner)


@pytest.fixture
def log(tmp_path: Path) -> CaptionLog:
    return CaptionLog(tmp_path / "captions.jsonl")


def test_the_latest_entry_of_each_photo_counts(log: CaptionLog) -> None:
    assert log.load("vit") == {}
    log.append([entry("a.jpg", "a lake"), entry("\udce9 \n.jpg", 'a "tree"')])
    log.append([entry("a.jpg", "a sea")])
    assert log.load("vit") == {
        "a.jpg": entry("a.jpg", "a sea"),
        "\udce9 \n.jpg": entry("\udce9 \n.jpg", 'a "tree"'),
    }


def test_another_captioners_entries_do_not_count(log: CaptionLog) -> None:
    log.append([entry("a.jpg", "a lake", "vit"), entry("b.jpg", "a sea", "pocket")])
    assert set(log.load("pocket")) == {"b.jpg"}


@pytest.mark.parametrize("cut", range(1, 100, 9))
def test_a_truncated_line_is_ignored_and_does_not_swallow_the_next(
    log: CaptionLog, cut: int
) -> None:
    log.append([entry("a.jpg", "a lake"), entry("b.jpg", "a sea")])
    log.path.write_bytes(log.path.read_bytes()[:-cut])
    kept = set(log.load("vit"))
    assert "a.jpg" in kept
    log.append([entry("c.jpg", "a tree")])
    assert set(log.load("vit")) == {*kept, "c.jpg"}


def test_a_flipped_bit_is_noticed(log: CaptionLog) -> None:
    log.append([entry("a.jpg", "a lake")])
    log.path.write_bytes(log.path.read_bytes().replace(b"a lake", b"a fake"))
    assert log.load("vit") == {}


def test_a_photo_is_known_by_its_content(tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"one")
    record = PhotoRecord.of(*read_versioned(photo))
    assert record.describes(photo)
    os.utime(photo, ns=(1, 1))
    assert record.describes(photo), "copied, say"
    photo.write_bytes(b"two")
    assert not record.describes(photo)


def test_captions_of_several_processes_move_to_the_log(log: CaptionLog, tmp_path: Path) -> None:
    shared = SharedCaptions(tmp_path / "captioned")
    log.append([entry("a.jpg", "a lake")])
    shared.save(1, [entry("c.jpg", "a tree")], {"d.jpg": "empty file"})
    shared.save(0, [entry("b.jpg", "a sea")], {})
    shared.move_to(log)
    assert set(log.load("vit")) == {"a.jpg", "b.jpg", "c.jpg"}
    assert not shared.has(0)
    assert shared.load() == ([], {})
    shared.move_to(log)
    assert set(log.load("vit")) == {"a.jpg", "b.jpg", "c.jpg"}
