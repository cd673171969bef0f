from typing import Any

import pytest

from monetize.errors import UsageError
from monetize.prompts.weights import Weight
from monetize.settings import (
    CaptionSettings,
    DeviceSettings,
    EditSettings,
    PaintSettings,
    RunSettings,
)


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (PaintSettings, {"num_inference_steps": 0}, "--num-inference-steps must be between 1 and"),
        (PaintSettings, {"guidance_scale": float("nan")}, "--guidance-scale must be at least 0"),
        (PaintSettings, {"guidance_scale": -1}, "--guidance-scale must be at least 0, not -1"),
        (PaintSettings, {"size": 7}, "--size must be at least 8"),
        (PaintSettings, {"batch_size": 0}, "--batch-size must be at least 1"),
        (PaintSettings, {"scheduler": "dpm2"}, "--scheduler must be one of pndm, lms"),
        (PaintSettings, {"weight_start": 0.5, "weight_end": 0.5}, "--weight-start 0.5 is not b"),
        (PaintSettings, {"weight": (Weight("a", 1), Weight("A", 2))}, "--weight 'a' is given more"),
        (CaptionSettings, {"caption_batch_size": 0}, "--caption-batch-size must be at least 1"),
        (CaptionSettings, {"max_length": 1}, "--max-length must be at least 2"),
        (PaintSettings, {"guidance_scale": 10**400}, "--guidance-scale must be at least 0, not 1"),
        (PaintSettings, {"weight": (Weight("\u00e9", 1), Weight("E\u0301", 2))}, "more than once"),
        (RunSettings, {"seed": -1}, "--seed must be between 0 and"),
        (RunSettings, {"limit": 0}, "--limit must be at least 1"),
        (RunSettings, {"jpeg_quality": 101}, "--jpeg-quality must be between 1 and 100"),
        (EditSettings, {"keep_words": -0.1}, "--keep-words must be between 0 and 1, not -0.1"),
        (EditSettings, {"keep_layout": 2}, "--keep-layout must be between 0 and 1, not 2"),
        (EditSettings, {"keep_layout_at": 0}, "--keep-layout-at must be at least 1"),
        (DeviceSettings, {"dtype": "int8"}, "--dtype must be one of auto"),
    ],
)  # fmt: skip
def test_a_value_out_of_range_is_refused_by_its_flag(
    kind: type, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        kind(**values)
