"""The kinds of steps that a job has, each of which is compiled before the first painting."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from helpers import Listener
from torch._dynamo.utils import counters

from monetize.painting.batching import BatchPainter
from monetize.painting.compilation import Variant, pays, variants
from monetize.painting.painter import Painter
from monetize.prompts.prompt import Prompt
from monetize.prompts.weights import Weight
from monetize.settings import PaintSettings

Load = Callable[..., Painter]
GUIDED, UNGUIDED = Variant(guided=True, weighted=False), Variant(guided=False, weighted=False)
WEIGHTED = Variant(guided=True, weighted=True)
WEIGHT = Weight("pine", -1)


@pytest.fixture(autouse=True)
def _new_graphs() -> Iterator[None]:
    torch._dynamo.reset()
    counters.clear()
    yield
    torch._dynamo.reset()


@pytest.mark.parametrize(
    ("settings", "approximate", "expected"),
    [
        (PaintSettings(guidance_scale=7.5), False, [GUIDED]),
        (PaintSettings(guidance_scale=7.5), True, [GUIDED, UNGUIDED]),
        (PaintSettings(guidance_scale=1.0), True, [UNGUIDED]),
        (PaintSettings(guidance_scale=7.5, guidance_end=0.8), False, [GUIDED, UNGUIDED]),
        (PaintSettings(guidance_scale=7.5, weight=(WEIGHT,)), False, [GUIDED, WEIGHTED]),
    ],
)
def test_the_variants_are_those_that_the_settings_allow(
    settings: PaintSettings, approximate: bool, expected: list[Variant]
) -> None:
    assert variants(settings, approximate=approximate) == expected


@pytest.mark.slow
def test_after_compiling_no_painting_compiles_anything(
    painter_with: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = painter_with(guidance_end=0.8, weight_end=0.5, weight=(WEIGHT,))
    monkeypatch.setattr(painter, "compile", lambda: Painter.compile(painter, "eager"))
    batches = BatchPainter(painter, 2, listener := Listener(), padded=True)
    batches.compile(variants(painter.settings))
    compiled = counters["stats"]["unique_graphs"]
    assert compiled == 4
    pine = painter.request(Prompt("a pine tree", (WEIGHT,)), 1)
    lake = painter.request(Prompt("a lake"), 2)
    for chunk in ([pine, lake], [lake, lake], [pine, pine, lake]):
        assert len(batches.start(chunk).result()) == len(chunk)
    assert counters["stats"]["unique_graphs"] == compiled
    assert not counters["graph_break"]
    assert not listener.warnings


@pytest.mark.slow
def test_halvings_do_not_reach_the_limit_beyond_which_nothing_is_compiled(
    painter_with: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = painter_with(guidance_scale=1.0, num_inference_steps=1)
    decode = painter.decode
    most = 3

    def limited(latents: torch.Tensor) -> object:
        if len(latents) > most:
            raise torch.OutOfMemoryError
        return decode(latents)

    monkeypatch.setattr(painter, "decode", limited)
    painter.compile("eager")
    batches = BatchPainter(painter, 3, Listener(), padded=True)
    lake = painter.request(Prompt("a lake"), 2)
    with torch._dynamo.config.patch(recompile_limit=1):
        batches.start([lake]).result()
        most = 1
        batches.start([lake]).result()
    assert batches.batch_size == 1
    assert counters["stats"]["unique_graphs"] == 2, "one for each batch size"


@pytest.mark.parametrize(("seconds", "count", "worth_it"), [(3600, 1, True), (3600, 10, False)])
def test_compiling_pays_where_there_is_much_to_paint(
    seconds: float, count: int, worth_it: bool
) -> None:
    decision, reason = pays(seconds, count)
    assert decision is worth_it
    assert reason.endswith("and saves about 9m of 1h")


@pytest.mark.slow
def test_compiled_kernels_are_kept_for_the_next_job(
    painter_with: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = "TORCHINDUCTOR_CACHE_DIR"
    monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    painter_with().compile()
    assert os.environ[variable] == str(tmp_path / "elsewhere")
    monkeypatch.delenv(variable)
    painter_with().compile()
    assert os.environ[variable] == str(tmp_path / "monetize" / "compiled")
    assert (tmp_path / "monetize" / "compiled").is_dir()


def test_without_a_folder_to_keep_kernels_in_torch_uses_its_own(
    painter_with: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "")
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR")
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    painter_with().compile()
    assert str(tmp_path) not in os.environ.get("TORCHINDUCTOR_CACHE_DIR", "")
