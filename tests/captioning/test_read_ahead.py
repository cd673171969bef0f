"""Batches of photos, read ahead of the model."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Condition

import pytest
import torch
from PIL import Image

from monetize.captioning import read_ahead
from monetize.captioning.captioner import Captioner
from monetize.captioning.read_ahead import of_readable
from monetize.chunks import chunks
from monetize.images.conversion import Note
from monetize.images.decoding import open_photo, opened_photo
from monetize.images.photos import Photo


@pytest.fixture
def six(photos: Path) -> list[Photo]:
    return [Photo(path.name, path) for path in sorted(photos.iterdir())]


def test_batches_are_captioned_as_they_are_alone(captioner: Captioner, six: list[Photo]) -> None:
    batches = chunks(six, 2)
    got = list(of_readable(captioner, batches, captioner.caption))
    assert [batch for batch, _, _ in got] == list(batches)
    for batch, captions, reasons in got:
        alone = captioner.caption(open_photo(photo.path) for photo in batch)
        assert captions == dict(zip([photo.key for photo in batch], alone, strict=True))
        assert reasons == {}


def test_unreadable_photos_are_reported_and_left_out(
    captioner: Captioner, six: list[Photo]
) -> None:
    for photo in (six[0], six[4], six[5]):
        Path(str(photo.path)).write_bytes(b"")
    first, second, third = of_readable(captioner, chunks(six, 2), captioner.caption)
    assert (list(first[1]), first[2]) == ([six[1].key], {six[0].key: "empty file"})
    assert (list(second[1]), second[2]) == ([six[2].key, six[3].key], {})
    assert (third[1], list(third[2])) == ({}, [six[4].key, six[5].key])


def test_the_next_batch_is_read_while_one_is_captioned_and_no_more(
    captioner: Captioner, six: list[Photo], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: set[str] = set()
    another = Condition()

    @contextmanager
    def noted(path: Path, data: bytes | None, note: Note) -> Iterator[Image.Image]:
        with another:
            opened.add(path.name)
            another.notify()
        with opened_photo(path, data, note) as image:
            yield image

    def make(prepared: Sequence[torch.Tensor]) -> list[int]:
        with another:
            assert another.wait_for(lambda: len(opened) >= expected, timeout=30)
            assert len(opened) == expected
        return [expected] * len(prepared)

    monkeypatch.setattr(read_ahead, "opened_photo", noted)
    expected = 4
    for _, made, _ in of_readable(captioner, chunks(six, 2), make):
        assert set(made.values()) == {expected}
        expected = 6
