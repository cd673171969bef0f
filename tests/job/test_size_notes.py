"""What is said about the sizes of a job's paintings."""

import pytest
from helpers import Listener

from monetize.job.size_notes import say_sizes
from monetize.settings import PaintSettings, RunSettings

KEEP = "are cropped (--fit pad or squash keeps all of them)"


def said(output_size: int | str, **paint: object) -> list[str]:
    listener = Listener()
    settings = PaintSettings(num_inference_steps=10, **paint)  # type: ignore[arg-type]
    say_sizes(settings, RunSettings(output_size=output_size), "zip", listener)
    return listener.said


@pytest.mark.parametrize(
    ("size", "output_size", "message"),
    [
        (64, 64, "Painting at 64 × 64 pixels"),
        (64, "fit", "Painting at 64 × 64 pixels"),
        (64, 32, "Painting at 64 × 64 pixels, resized to 32 × 32 in the zip"),
        ("fit", "fit", "Painting in the shapes of the photos"),
    ],
)
def test_the_size_is_said_and_the_output_size_if_it_differs(
    size: int | str, output_size: int | str, message: str
) -> None:
    assert said(output_size, size=size) == [message]


def test_the_steps_made_from_photos_are_said() -> None:
    assert said(64, size=64, strength=0.5, fit="pad") == [
        "Painting at 64 × 64 pixels",
        "Starting from the photos, with 5 of 10 steps",
    ]


@pytest.mark.parametrize(
    ("paint", "output_size", "cropped"),
    [
        ({"size": "64x48"}, 32, "Paintings"),
        ({"size": "fit"}, 32, "Paintings"),
        ({"size": 64, "strength": 0.5}, 32, "Photos"),
    ],
)
def test_what_is_cropped_is_said_unless_it_is_to_be_padded(
    paint: dict[str, object], output_size: int, cropped: str
) -> None:
    assert said(output_size, **paint)[-1] == f"{cropped} of another shape {KEEP}"
    assert not any(KEEP in line for line in said(output_size, **paint, fit="pad"))
