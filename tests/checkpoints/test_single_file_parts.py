"""Checkpoints of one file: they load as the folder does, and the full-size names are known."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from helpers import CPU, Run, Tiny
from PIL import Image, ImageChops
from safetensors.torch import load_file, save_file
from single_files import (
    original_weights,
    text_names,
    unet_names,
    vae_names,
    write_single_file,
)
from transformers import CLIPTextConfig, CLIPTextModel

from monetize.checkpoints import resolve as resolving
from monetize.checkpoints.layout import PAINTER
from monetize.checkpoints.loading import load_painting_pipeline
from monetize.checkpoints.model_kinds import refusal
from monetize.checkpoints.resolve import resolve
from monetize.checkpoints.single_file import CONFIGS
from monetize.checkpoints.single_file_parts import CONVERSIONS
from monetize.devices import Placement
from monetize.errors import CheckpointError

PARTS = ("unet", "vae", "text_encoder")
Edit = Callable[[dict[str, torch.Tensor]], None]


@pytest.fixture
def single(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny painter as one file; its configuration is in the place of Stable Diffusion's."""
    monkeypatch.setattr(resolving, "CONFIGS", tiny.painter)
    return write_single_file(tiny.painter, tmp_path / "tiny.safetensors")


def assert_equal_to_folder(file: Path, folder: Path) -> None:
    ours = load_painting_pipeline(resolve(str(file), PAINTER), CPU)
    theirs = load_painting_pipeline(resolve(str(folder), PAINTER), CPU)
    for part in PARTS:
        expected = getattr(theirs, part).state_dict()
        loaded = getattr(ours, part).state_dict()
        assert loaded.keys() == expected.keys()
        assert all(torch.equal(loaded[key], expected[key]) for key in expected)
        assert not getattr(ours, part).training


def test_a_file_loads_as_its_folder(single: Path, tiny: Tiny) -> None:
    assert_equal_to_folder(single, tiny.painter)


def test_a_pickled_file_loads_as_its_folder(single: Path, tiny: Tiny) -> None:
    assert_equal_to_folder(
        write_single_file(tiny.painter, single.with_suffix(".ckpt")), tiny.painter
    )


def test_older_names_of_the_text_encoder_load_the_same(single: Path, tiny: Tiny) -> None:
    renamed = {key.replace(".text_model.", "."): each for key, each in load_file(single).items()}
    save_file(renamed, single)
    assert_equal_to_folder(single, tiny.painter)


def test_it_paints_what_the_folder_paints(
    single: Path, tiny: Tiny, cli: Run, tmp_path: Path
) -> None:
    outputs = [tmp_path / "file.png", tmp_path / "folder.png"]
    for model, output in zip([single, tiny.painter], outputs, strict=True):
        result = cli("paint", "a lake", "--seed", 1, "--steps", 2, "--model", model, "-o", output)
        assert result.exit_code == 0, result.stderr
    pictures = [Image.open(output) for output in outputs]
    assert ImageChops.difference(*pictures).getbbox() is None


def test_half_precision_weights_load_in_either_precision(single: Path) -> None:
    save_file({key: each.half() for key, each in load_file(single).items()}, single)
    checkpoint = resolve(str(single), PAINTER)
    for dtype in (torch.float16, torch.float32):
        loaded = load_painting_pipeline(checkpoint, Placement(torch.device("cpu"), dtype))
        assert {getattr(loaded, part).dtype for part in PARTS} == {dtype}


def rewrite(path: Path, edit: Edit) -> None:
    weights = load_file(path)
    edit(weights)
    save_file(weights, path)


def test_averaged_weights_are_not_used_which_is_reported(single: Path, tiny: Tiny) -> None:
    def add_averaged(weights: dict[str, torch.Tensor]) -> None:
        for key in [key for key in weights if key.startswith("model.diffusion_model.")]:
            flat = "model_ema." + key.removeprefix("model.").replace(".", "")
            weights[flat] = weights[key] + 1

    rewrite(single, add_averaged)
    said: list[str] = []
    resolve(str(single), PAINTER, say=said.append)
    assert said == ["tiny.safetensors: its averaged weights (EMA) are not used, as by other tools"]
    assert_equal_to_folder(single, tiny.painter)


@pytest.mark.parametrize(
    ("part", "key"),
    [
        ("unet", "model.diffusion_model.middle_block.1.norm.weight"),
        ("vae", "first_stage_model.decoder.conv_out.bias"),
        ("text_encoder", "cond_stage_model.transformer.text_model.final_layer_norm.bias"),
    ],
)
def test_a_missing_layer_is_named(single: Path, part: str, key: str) -> None:
    rewrite(single, lambda weights: weights.__delitem__(key))
    with pytest.raises(CheckpointError, match=rf"no weights for these layers of its {part}: .*\w"):
        load_painting_pipeline(resolve(str(single), PAINTER), CPU)


def test_another_architecture_is_named(single: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolving, "CONFIGS", CONFIGS)
    with pytest.raises(
        CheckpointError, match=r"is not Stable Diffusion v1: .* has the shape .* Use the .*folder"
    ):
        load_painting_pipeline(resolve(str(single), PAINTER), CPU)


def test_a_further_layer_of_the_unet_is_named(single: Path) -> None:
    further = "model.diffusion_model.input_blocks.1.0.emb_layers.1.extra"
    rewrite(single, lambda weights: weights.update({further: torch.ones(1)}))
    with pytest.raises(CheckpointError, match=r"its unet has another layer: down_blocks.0.resnets"):
        load_painting_pipeline(resolve(str(single), PAINTER), CPU)


def test_weights_that_are_not_numbers_are_named(single: Path) -> None:
    def spoil(weights: dict[str, torch.Tensor]) -> None:
        weights["first_stage_model.quant_conv.bias"].fill_(torch.nan)

    rewrite(single, spoil)
    with pytest.raises(CheckpointError, match=r"the weights of quant_conv.bias are not finite"):
        load_painting_pipeline(resolve(str(single), PAINTER), CPU)


def test_every_name_of_the_full_size_file_is_known() -> None:
    """1,130 weights: with the position ids, the 1,131 of the published v1-4 and v1-5 files."""
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(CONFIGS / "unet"))
        vae = AutoencoderKL.from_config(AutoencoderKL.load_config(CONFIGS / "vae"))
        text = CLIPTextModel(CLIPTextConfig.from_pretrained(CONFIGS / "text_encoder"))
    models = {"unet": unet, "vae": vae, "text_encoder": text}
    names = {
        **unet_names(unet.state_dict(), 2),
        **vae_names(vae.state_dict(), 4),
        **text_names(text.state_dict()),
    }
    assert len(names) == len(set(names.values())) == 1130
    original = {
        names[key]: tensor
        for model in models.values()
        for key, tensor in model.state_dict().items()
    }
    for name, shape in {
        "model.diffusion_model.input_blocks.0.0.weight": (320, 4, 3, 3),
        "model.diffusion_model.input_blocks.3.0.op.weight": (320, 320, 3, 3),
        "model.diffusion_model.input_blocks.4.0.skip_connection.weight": (640, 320, 1, 1),
        "model.diffusion_model.middle_block.1.transformer_blocks.0.attn2.to_v.weight": (1280, 768),
        "model.diffusion_model.output_blocks.2.1.conv.weight": (1280, 1280, 3, 3),
        "model.diffusion_model.output_blocks.5.2.conv.weight": (1280, 1280, 3, 3),
        "model.diffusion_model.output_blocks.11.0.skip_connection.weight": (320, 640, 1, 1),
        "first_stage_model.encoder.down.2.downsample.conv.weight": (512, 512, 3, 3),
        "first_stage_model.decoder.up.0.block.0.nin_shortcut.weight": (128, 256, 1, 1),
        "first_stage_model.decoder.mid.attn_1.proj_out.bias": (512,),
        "cond_stage_model.transformer.text_model.encoder.layers.11.mlp.fc1.weight": (3072, 768),
    }.items():
        assert tuple(original[name].shape) == shape
    assert refusal({name: tuple(tensor.shape) for name, tensor in original.items()}) is None
    for part, model in models.items():
        converted = CONVERSIONS[part](original, model.config)
        expected = {key: tensor.shape for key, tensor in model.state_dict().items()}
        assert {key: tensor.shape for key, tensor in converted.items()} == expected


def test_the_bundled_tokenizer_is_clips(tiny: Tiny) -> None:
    for name in ("vocab.json", "merges.txt"):
        bundled = (CONFIGS / "tokenizer" / name).read_bytes()
        assert bundled == (tiny.painter / "tokenizer" / name).read_bytes()


def test_the_original_weights_have_every_part(tiny: Tiny) -> None:
    prefixes = {key.partition(".")[0] for key in original_weights(tiny.painter)}
    assert prefixes == {"model", "first_stage_model", "cond_stage_model", "alphas_cumprod"}
