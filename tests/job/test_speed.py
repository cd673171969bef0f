"""The speed of painting, on a clock that the test advances."""

from dataclasses import replace

import pytest

from monetize.job.speed import Speed, passes
from monetize.settings import PaintSettings

FIFTY = PaintSettings(num_inference_steps=50, guidance_scale=7.5, scheduler="ddim")


@pytest.mark.parametrize(
    ("settings", "number"),
    [
        (FIFTY, 100),
        (PaintSettings(num_inference_steps=50, guidance_scale=7.5, scheduler="pndm"), 102),
        (PaintSettings(num_inference_steps=50, guidance_scale=1.0), 50),
        (replace(FIFTY, scheduler="heun"), 198),
        (replace(FIFTY, scheduler="heun", strength=0.5), 98),
        (replace(FIFTY, strength=0.5), 50),
        (replace(FIFTY, strength=0.5, scheduler="pndm"), 52),
        (
            PaintSettings(
                num_inference_steps=10, guidance_scale=7.5, guidance_start=0.2, guidance_end=0.9
            ),
            17,
        ),
    ],
)
def test_a_guided_evaluation_is_two_passes(settings: PaintSettings, number: int) -> None:
    assert passes(settings) == number


def test_the_speed_is_measured_by_painting(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("monetize.job.speed.time.monotonic", lambda: now)

    def paint(settings: PaintSettings) -> None:
        nonlocal now
        now += 0.5 + passes(settings)

    measured = Speed.measure(paint, FIFTY)
    assert (measured.fixed, measured.a_pass) == pytest.approx((0.5, 1.0))
