"""Finding LoRAs, and refusing what is none for Stable Diffusion v1 before a model is loaded."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from helpers import Tiny
from lora_files import write_lora
from single_files import write_single_file
from torch import Tensor

from monetize.adapters import Lora
from monetize.checkpoints.layout import PAINTER
from monetize.checkpoints.lora import check_text_features, resolve_lora
from monetize.checkpoints.model_kinds import VIT
from monetize.checkpoints.resolve import resolve
from monetize.errors import CheckpointError, UsageError

LAYER = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k"


def weights(features: int = 768) -> dict[str, Tensor]:
    return {
        f"{LAYER}.lora_down.weight": torch.ones(4, features),
        f"{LAYER}.lora_up.weight": torch.ones(1280, 4),
    }


def test_a_file_is_found_and_has_a_digest(tmp_path: Path) -> None:
    file = write_lora(tmp_path / "monet.safetensors", weights())
    found = resolve_lora(Lora(str(file), 0.5))
    assert (found.file, found.scale) == (file, 0.5)
    assert found.identity.startswith("sha256:") and found.identity.endswith("=0.5")
    other = write_lora(
        tmp_path / "other.safetensors", weights() | {f"{LAYER}.alpha": torch.ones(1)}
    )
    assert resolve_lora(Lora(str(other))).revision != found.revision


def test_a_pickle_is_read_without_running_it(tmp_path: Path) -> None:
    file = tmp_path / "monet.pt"
    torch.save(weights(), file)
    assert resolve_lora(Lora(str(file))).file == file
    torch.save({**weights(), "program": Path("x")}, file)
    with pytest.raises(CheckpointError, match=r"--lora .*monet.pt cannot be read: .* program"):
        resolve_lora(Lora(str(file)))


def test_the_only_file_of_a_folder_is_used(tmp_path: Path) -> None:
    file = write_lora(tmp_path / "monet.safetensors", weights())
    assert resolve_lora(Lora(str(tmp_path))).file == file
    other = write_lora(tmp_path / "late.safetensors", weights())
    with pytest.raises(CheckpointError, match=r"has several: late.safetensors, monet.safetensors"):
        resolve_lora(Lora(str(tmp_path)))
    usual = other.rename(tmp_path / "pytorch_lora_weights.safetensors")
    assert resolve_lora(Lora(str(tmp_path))).file == usual


def test_a_folder_without_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"one .safetensors file is needed, and it has none"):
        resolve_lora(Lora(str(tmp_path)))


@pytest.mark.parametrize("source", ["nowhere.safetensors", "some/nowhere.pt", "a/b/c", "nowhere"])
def test_what_is_not_there_is_a_usage_error(source: str) -> None:
    with pytest.raises(UsageError, match=f"--lora {source}: no such file or folder"):
        resolve_lora(Lora(source))


def test_another_kind_of_file_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "monet.txt").touch()
    with pytest.raises(UsageError, match=r"not a .safetensors file"):
        resolve_lora(Lora(str(tmp_path / "monet.txt")))


def test_the_hub_is_named_where_it_cannot_be_reached() -> None:
    with pytest.raises(CheckpointError, match=r"owner/monet is not on this machine, and --offline"):
        resolve_lora(Lora("owner/monet"), offline=True)
    with pytest.raises(CheckpointError, match=r"the hub cannot be reached .*use --lora FILE"):
        resolve_lora(Lora("owner/monet"))


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (weights(2048), "is for Stable Diffusion XL; monetize paints with Stable Diffusion v1"),
        (weights(1024), "is for Stable Diffusion 2"),
        (weights() | {"lora_te2_x.lora_down.weight": torch.ones(1)}, "is for Stable Diffusion XL"),
        ({"lora_unet_double_blocks_0_x.lora_down.weight": torch.ones(1)}, "is for Flux"),
        ({f"{LAYER}.hada_w1_a": torch.ones(1)}, "is of the kind LoHa; only plain LoRAs"),
        (weights() | {f"{LAYER}.dora_scale": torch.ones(1)}, "is of the kind DoRA"),
        ({"emb_params": torch.ones(1, 768)}, "is a textual inversion, not a LoRA: .*--embedding"),
        (
            {
                VIT + "projection.weight": torch.ones(1),
                "decoder.transformer.wte.weight": torch.ones(1),
            },
            "is a captioner, not a LoRA: give its folder to --captioner",
        ),
        ({"x": torch.ones(1)}, r"monet.safetensors is not a LoRA$"),
    ],
)
def test_what_is_not_a_lora_for_this_model_is_named(
    tmp_path: Path, shapes: dict[str, Tensor], message: str
) -> None:
    file = write_lora(tmp_path / "monet.safetensors", shapes)
    with pytest.raises(CheckpointError, match=message):
        resolve_lora(Lora(str(file)))


def test_a_checkpoint_is_not_a_lora(tiny: Tiny, tmp_path: Path) -> None:
    file = write_single_file(tiny.painter, tmp_path / "tiny.safetensors")
    with pytest.raises(
        CheckpointError, match=r"is a checkpoint of Stable Diffusion v1, not a LoRA: .*--model"
    ):
        resolve_lora(Lora(str(file)))


def test_a_lora_for_text_of_another_width_is_refused_before_loading(
    tiny: Tiny, tmp_path: Path
) -> None:
    checkpoint = resolve(str(tiny.painter), PAINTER)
    for features, fits in ((32, True), (768, False)):
        file = write_lora(tmp_path / f"{features}.safetensors", weights(features))
        with_lora = replace(checkpoint, loras=(resolve_lora(Lora(str(file))),))
        if fits:
            check_text_features(with_lora)
            continue
        with pytest.raises(CheckpointError, match=r"768.safetensors does not fit .* 768 features"):
            check_text_features(with_lora)
