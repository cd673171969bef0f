import pytest

from monetize.checkpoints.model_kinds import refusal, unlike

V1 = {
    "model.diffusion_model.input_blocks.0.0.weight": (320, 4, 3, 3),
    "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (320, 768),
    "first_stage_model.decoder.conv_in.weight": (512, 4, 3, 3),
    "cond_stage_model.transformer.text_model.final_layer_norm.weight": (768,),
}
ATTENTION = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
FIRST = "model.diffusion_model.input_blocks.0.0.weight"


def without(prefix: str) -> dict[str, tuple[int, ...]]:
    return {key: shape for key, shape in V1.items() if not key.startswith(prefix)}


def test_stable_diffusion_v1_is_accepted() -> None:
    assert refusal(V1) is None
    assert refusal(V1 | {ATTENTION: (), FIRST: (4,)}) is None, "what loading will refuse"
    renamed = {key.replace("first_stage_model.", "vae."): shape for key, shape in V1.items()}
    assert refusal(renamed) is None


@pytest.mark.parametrize(
    ("shapes", "kind", "way_out"),
    [
        ({"lora_unet_mid_block_attentions_0_proj_in.lora_down.weight": (4, 8)}, "LoRA", "--lora"),
        ({"unet.mid_block.attentions.0.proj_in.lora_A.weight": (4, 8)}, "LoRA", "--lora"),
        ({"lora_unet_x.hada_w1_a": (4, 8)}, "LoHa", "--lora"),
        ({"emb_params": (2, 768)}, "textual inversion", "--embedding"),
        ({"control_model.time_embed.0.weight": (1280, 320)}, "ControlNet", "v1"),
        ({"model.diffusion_model.double_blocks.0.img_mod.lin.weight": (1, 1)}, "Flux", "v1"),
        ({"model.diffusion_model.joint_blocks.0.x.weight": (1, 1)}, "Stable Diffusion 3", "v1"),
        (
            V1 | {"conditioner.embedders.1.model.ln_final.weight": (1280,)},
            "Stable Diffusion XL",
            "v1",
        ),
        (V1 | {"conditioner.embedders.0.model.ln_final.weight": (1280,)}, "refiner", "v1"),
        (
            V1 | {"cond_stage_model.model.ln_final.weight": (1024,)},
            "Stable Diffusion 2",
            "v1",
        ),
        (V1 | {ATTENTION: (320, 1024)}, "Stable Diffusion 2", "v1"),
        (V1 | {FIRST: (320, 9, 3, 3)}, "inpainting", "v1"),
        (V1 | {FIRST: (320, 8, 3, 3)}, "InstructPix2Pix", "v1"),
        (V1 | {FIRST: (320, 6, 3, 3)}, "6 channels", "v1"),
        (V1 | {"v_pred": ()}, "velocity", "v1"),
        (without("first_stage_model."), "without its VAE", "full file"),
        (without("cond_stage_model."), "without its text encoder", "full file"),
        ({"first_stage_model.encoder.conv_in.weight": (1,)}, "only a VAE", "full file"),
        ({"down_blocks.0.resnets.0.conv1.weight": (1,)}, "only the UNet", "whole folder"),
        ({"text_model.final_layer_norm.weight": (768,)}, "only a text encoder", "full file"),
        ({"encoder.down_blocks.0.x.weight": (1,)}, "only a VAE", "full file"),
        ({"decoder.conv_in.weight": (1,)}, "only a VAE", "full file"),
        (
            {"encoder.embeddings.patch_embeddings.x": (1,), "decoder.transformer.wte.weight": (1,)},
            "a captioner",
            "--captioner",
        ),
        (
            {"encoder.layer.0.weight": (1,), "decoder.layer.0.weight": (1,)},
            "not a checkpoint",
            "v1",
        ),
        (
            {"text_model.embeddings.x": (1,), "vision_model.embeddings.x": (1,)},
            "not a checkpoint",
            "v1",
        ),
        ({"weight": (1,)}, "not a checkpoint of Stable Diffusion", "v1"),
        ({}, "not a checkpoint of Stable Diffusion", "v1"),
    ],
)
def test_what_it_is_instead_is_named(
    shapes: dict[str, tuple[int, ...]], kind: str, way_out: str
) -> None:
    refused = refusal(shapes)
    assert refused is not None
    assert kind in refused.kind
    assert way_out in refused.way_out


def test_what_a_file_is_not_is_said_once() -> None:
    assert unlike({"x": (1,)}, "a LoRA") == "is not a LoRA"
    assert unlike({"emb_params": (1, 2, 3)}, "a textual inversion of one token") == (
        "is not a textual inversion of one token"
    )
    assert unlike(V1, "a LoRA").startswith("is a checkpoint of Stable Diffusion v1, not a LoRA: ")
