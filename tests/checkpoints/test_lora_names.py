"""Which layers the names in a LoRA's file belong to."""

import pytest
import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from monetize.checkpoints.lora_names import match_layers
from monetize.checkpoints.single_file import CONFIGS


@pytest.fixture(scope="module")
def full_size() -> dict[str, torch.nn.Module]:
    """Stable Diffusion v1 without data."""
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(CONFIGS / "unet"))
        text = CLIPTextModel(CLIPTextConfig.from_pretrained(CONFIGS / "text_encoder"))
    return {"unet": unet, "text_encoder": text}


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("lora_unet_conv_in.lora_down.weight", "conv_in"),
        ("unet.mid_block.attentions.0.proj_in.lora_A.weight", "mid_block.attentions.0.proj_in"),
        ("unet.conv_in.lora_B.default_0.weight", "conv_in"),
        (
            "mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_out_lora.up.weight",
            "mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0",
        ),
        (
            "text_encoder.text_model.encoder.layers.3.self_attn.to_q_lora.down.weight",
            "encoder.layers.3.self_attn.q_proj",
        ),
        (
            "text_encoder.text_model.encoder.layers.3.mlp.fc1.lora_linear_layer.up.weight",
            "encoder.layers.3.mlp.fc1",
        ),
        ("lora_te_text_model_encoder_layers_3_mlp_fc2.alpha", "encoder.layers.3.mlp.fc2"),
    ],
)
def test_each_form_of_a_name_is_known(
    full_size: dict[str, torch.nn.Module], name: str, layer: str
) -> None:
    [(target, _)], unknown = match_layers({name: torch.tensor(1.0)}, full_size)
    assert (target.name, unknown) == (layer, [])


@pytest.mark.parametrize(
    "name",
    [
        "lora_unet_conv_in.diff",
        "lora_unet_conv_in.lora_B.bias",
        "lora_te2_text_model_encoder_layers_3_mlp_fc2.alpha",
        "lora_unet_label_emb_0_0.lora_up.weight",
        "unet.conv_norm_out.lora_A.weight",
    ],
)
def test_other_names_are_given_back(full_size: dict[str, torch.nn.Module], name: str) -> None:
    assert match_layers({name: torch.tensor(1.0)}, full_size) == ([], [name])


def test_every_layer_of_kohyas_usual_loras_is_known(full_size: dict[str, torch.nn.Module]) -> None:
    """Its trainer makes 192 modules for the UNet of Stable Diffusion v1, 72 for the text part."""
    unet, text = full_size["unet"], full_size["text_encoder"]
    layers = {
        "lora_unet_" + name.replace(".", "_"): module
        for name, module in unet.named_modules()
        if ".attentions." in name and isinstance(module, torch.nn.Linear | torch.nn.Conv2d)
    } | {
        "lora_te_text_model_" + name.removeprefix("text_model.").replace(".", "_"): module
        for name, module in text.named_modules()
        if isinstance(module, torch.nn.Linear)
    }
    assert len(layers) == 192 + 72
    assert {
        "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k",
        "lora_unet_mid_block_attentions_0_transformer_blocks_0_ff_net_0_proj",
        "lora_te_text_model_encoder_layers_11_self_attn_q_proj",
    } < layers.keys()
    weights = {
        f"{name}.{key}": torch.empty(0)
        for name in layers
        for key in ("lora_down.weight", "lora_up.weight")
    }
    found, unknown = match_layers(weights, {"unet": unet, "text_encoder": text})
    assert unknown == []
    assert {id(target.module) for target, _ in found} == {id(module) for module in layers.values()}
