"""LoRAs add to the weights what their matrices say, or are refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline
from helpers import CPU, Tiny
from lora_files import FORMS, RANK, Matrices, kohya, matrices, peft, write_lora
from torch import Tensor

from monetize.adapters import Lora
from monetize.checkpoints.layout import PAINTER
from monetize.checkpoints.loading import load_painting_pipeline
from monetize.checkpoints.lora import resolve_lora
from monetize.checkpoints.resolve import Checkpoint, resolve
from monetize.devices import Placement
from monetize.errors import CheckpointError

PARTS = ("unet", "text_encoder")
Edit = Callable[[dict[str, Tensor]], object]


@pytest.fixture(scope="module")
def checkpoint(tiny: Tiny) -> Checkpoint:
    return resolve(str(tiny.painter), PAINTER)


@pytest.fixture(scope="module")
def plain(checkpoint: Checkpoint) -> StableDiffusionPipeline:
    return load_painting_pipeline(checkpoint, CPU)


@pytest.fixture(scope="module")
def found(plain: StableDiffusionPipeline) -> Matrices:
    return matrices(plain)


def fused(checkpoint: Checkpoint, *loras: tuple[Path, float]) -> StableDiffusionPipeline:
    files = tuple(resolve_lora(Lora(str(file), scale)) for file, scale in loras)
    return load_painting_pipeline(replace(checkpoint, loras=files), CPU)


def weights(pipeline: StableDiffusionPipeline) -> dict[tuple[str, str], Tensor]:
    return {
        (part, name.removesuffix(".weight")): tensor
        for part in PARTS
        for name, tensor in getattr(pipeline, part).state_dict().items()
    }


def assert_added(
    plain: StableDiffusionPipeline,
    changed: StableDiffusionPipeline,
    found: Matrices,
    factor: float,
) -> None:
    before, after = weights(plain), weights(changed)
    assert before.keys() == after.keys()
    for key, weight in before.items():
        expected = weight
        if key in found:
            down, up = found[key]
            change = torch.einsum("or,ri->oi", up.flatten(1), down.flatten(1))
            expected = weight + factor * change.view_as(weight)
        assert torch.allclose(after[key], expected, rtol=0, atol=1e-6), key


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_a_file_adds_its_matrices(
    plain: StableDiffusionPipeline,
    checkpoint: Checkpoint,
    found: Matrices,
    tmp_path: Path,
    form: str,
) -> None:
    file = write_lora(tmp_path / "monet.safetensors", FORMS[form](found))
    assert_added(plain, fused(checkpoint, (file, 0.5)), found, 0.5)


def test_the_alpha_of_a_layer_is_divided_by_its_rank(
    plain: StableDiffusionPipeline, checkpoint: Checkpoint, found: Matrices, tmp_path: Path
) -> None:
    file = write_lora(tmp_path / "monet.safetensors", kohya(found, alpha=3.0))
    assert_added(plain, fused(checkpoint, (file, 1.0)), found, 3 / RANK)


@pytest.mark.parametrize(
    ("settings", "factor"),
    [({"lora_alpha": 6}, 6 / RANK), ({"lora_alpha": 6, "use_rslora": True}, 6 / RANK**0.5)],
)
def test_the_alpha_in_the_metadata_of_diffusers_counts(
    plain: StableDiffusionPipeline,
    checkpoint: Checkpoint,
    found: Matrices,
    tmp_path: Path,
    settings: dict[str, object],
    factor: float,
) -> None:
    each = {f"{part}.{key}": value for part in PARTS for key, value in settings.items()}
    metadata = {"lora_adapter_metadata": json.dumps(each)}
    file = write_lora(tmp_path / "monet.safetensors", peft(found), metadata)
    assert_added(plain, fused(checkpoint, (file, 1.0)), found, factor)


def test_layers_may_have_alphas_of_their_own_in_the_metadata(
    plain: StableDiffusionPipeline, checkpoint: Checkpoint, found: Matrices, tmp_path: Path
) -> None:
    part, name = next(iter(found))
    settings = {"unet.lora_alpha": RANK, "unet.alpha_pattern": {name: 4 * RANK}}
    file = write_lora(
        tmp_path / "monet.safetensors",
        peft(found),
        {"lora_adapter_metadata": json.dumps(settings)},
    )
    changed = fused(checkpoint, (file, 1.0))
    down, up = found[part, name]
    change = (up.flatten(1) @ down.flatten(1)).view_as(weights(plain)[part, name])
    difference = weights(changed)[part, name] - weights(plain)[part, name]
    assert torch.allclose(difference, 4 * change, atol=1e-5)


def test_several_add_up(
    plain: StableDiffusionPipeline, checkpoint: Checkpoint, found: Matrices, tmp_path: Path
) -> None:
    one = write_lora(tmp_path / "one.safetensors", kohya(found, alpha=None))
    other = write_lora(tmp_path / "other.safetensors", peft(found))
    assert_added(plain, fused(checkpoint, (one, 2.0), (other, -0.5)), found, 1.5)


def test_a_scale_of_0_is_exactly_without(
    plain: StableDiffusionPipeline, checkpoint: Checkpoint, found: Matrices, tmp_path: Path
) -> None:
    file = write_lora(tmp_path / "monet.safetensors", kohya(found))
    after = weights(fused(checkpoint, (file, 0.0)))
    assert all(torch.equal(after[key], weight) for key, weight in weights(plain).items())


def test_it_is_fused_in_float32_and_kept_in_the_model_s_precision(
    checkpoint: Checkpoint, found: Matrices, tmp_path: Path
) -> None:
    file = write_lora(tmp_path / "monet.safetensors", kohya(found))
    half = load_painting_pipeline(
        replace(checkpoint, loras=(resolve_lora(Lora(str(file))),)),
        Placement(torch.device("cpu"), torch.bfloat16),
    )
    assert {tensor.dtype for tensor in half.unet.state_dict().values()} == {torch.bfloat16}


def test_the_unet_is_what_diffusers_makes_of_it(
    plain: StableDiffusionPipeline, checkpoint: Checkpoint, found: Matrices, tmp_path: Path
) -> None:
    pytest.importorskip("peft")
    file = write_lora(tmp_path / "monet.safetensors", kohya(found, alpha=3.0))
    theirs = load_painting_pipeline(checkpoint, CPU)
    theirs.load_lora_weights(str(file))
    theirs.fuse_lora(lora_scale=0.7)
    theirs.unload_lora_weights()
    ours = fused(checkpoint, (file, 0.7))
    for name, tensor in theirs.unet.state_dict().items():
        assert torch.allclose(ours.unet.state_dict()[name], tensor, rtol=0, atol=1e-5), name


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            lambda each: each.update({"lora_unet_label_emb_0_0.lora_down.weight": torch.ones(1)}),
            r"does not fit .*: it has weights for lora_unet_label_emb_0_0.lora_down.weight",
        ),
        (
            lambda each: each.update({"lora_unet_conv_in.diff": torch.ones(1)}),
            r"does not fit .*: it has weights for lora_unet_conv_in.diff",
        ),
        (
            lambda each: each.update({"lora_unet_conv_in.lora_down.weight": torch.ones(2, 9)}),
            r"conv_in has only one of its two matrices",
        ),
        (
            lambda each: each.update(
                {
                    "lora_unet_conv_in.lora_down.weight": torch.ones(2, 9),
                    "lora_unet_conv_in.lora_up.weight": torch.ones(16, 2),
                }
            ),
            r"\(16, 2\) and \(2, 9\) for conv_in do not make \(16, 4, 3, 3\)",
        ),
        (
            lambda each: next(iter(each.values())).fill_(torch.nan),
            r"the weights of .* are not finite numbers",
        ),
        (
            lambda each: each.update(
                {key: torch.ones(2) for key in each if key.endswith(".alpha")}
            ),
            r"cannot be read: \w",
        ),
    ],
)
def test_what_does_not_fit_is_named(
    checkpoint: Checkpoint, found: Matrices, tmp_path: Path, edit: Edit, message: str
) -> None:
    bad = {key: tensor.clone() for key, tensor in kohya(found).items()}
    edit(bad)
    file = write_lora(tmp_path / "bad.safetensors", bad)
    with pytest.raises(CheckpointError, match=message):
        fused(checkpoint, (file, 1.0))


@pytest.mark.parametrize(
    "settings",
    [
        {"unet.lora_alpha": "much"},
        {"unet.alpha_pattern": ["conv_in"]},
        {"unet.alpha_pattern": {"proj_in": [1]}},
        {"unet.lora_alpha": 1e400},
    ],
)
def test_hostile_metadata_is_an_error(
    checkpoint: Checkpoint, found: Matrices, tmp_path: Path, settings: dict[str, object]
) -> None:
    metadata = {"lora_adapter_metadata": json.dumps(settings)}
    file = write_lora(tmp_path / "monet.safetensors", peft(found), metadata)
    with pytest.raises(CheckpointError, match=r"--lora .*monet.safetensors.* \w"):
        fused(checkpoint, (file, 1.0))


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000])
def test_metadata_of_no_meaning_is_passed_over(
    plain: StableDiffusionPipeline,
    checkpoint: Checkpoint,
    found: Matrices,
    tmp_path: Path,
    text: str,
) -> None:
    metadata = {"lora_adapter_metadata": text}
    file = write_lora(tmp_path / "monet.safetensors", peft(found), metadata)
    assert_added(plain, fused(checkpoint, (file, 1.0)), found, 1.0)
