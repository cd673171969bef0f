import json
import re
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from helpers import CPU, Tiny
from safetensors.torch import load_file, save_file
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    GPT2Config,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
    ViTConfig,
)

from monetize.checkpoints.layout import CAPTIONER, PAINTER
from monetize.checkpoints.loading import (
    load_captioning_model,
    load_painting_pipeline,
)
from monetize.checkpoints.resolve import resolve
from monetize.devices import Placement
from monetize.errors import CheckpointError
from monetize.painting.attention.token_weights import TokenWeights

PARTS = ("unet", "vae", "text_encoder")


def rewrite_weights(folder: Path, change: str) -> None:
    """Replace a folder's safetensors with a legacy .bin, or with the fp16 variant."""
    [path] = folder.glob("*.safetensors")
    weights = load_file(path)
    path.unlink()
    if change == "bin":
        legacy = "pytorch_model.bin" if path.name == "model.safetensors" else f"{path.stem}.bin"
        torch.save(weights, folder / legacy)
    else:
        save_file(
            {k: v.half() for k, v in weights.items()}, folder / f"{path.stem}.fp16.safetensors"
        )


def parameters(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.flatten().float() for _, p in sorted(model.named_parameters())])


def test_legacy_bin_weights_of_a_painter_load_the_same(tiny: Tiny, tiny_copy: Tiny) -> None:
    for part in PARTS:
        rewrite_weights(tiny_copy.painter / part, "bin")
    ours = load_painting_pipeline(resolve(str(tiny_copy.painter), PAINTER), CPU)
    theirs = load_painting_pipeline(resolve(str(tiny.painter), PAINTER), CPU)
    for part in PARTS:
        assert torch.equal(parameters(getattr(ours, part)), parameters(getattr(theirs, part)))


def test_a_mix_of_formats_loads(tiny: Tiny, tiny_copy: Tiny) -> None:
    rewrite_weights(tiny_copy.painter / "text_encoder", "bin")
    pipeline = load_painting_pipeline(resolve(str(tiny_copy.painter), PAINTER), CPU)
    theirs = load_painting_pipeline(resolve(str(tiny.painter), PAINTER), CPU)
    assert torch.equal(parameters(pipeline.text_encoder), parameters(theirs.text_encoder))


def test_a_captioner_of_transformers_4_loads(tiny: Tiny, tiny_copy: Tiny) -> None:
    """As ViT-GPT2 on the hub: a .bin with old mask buffers, an old name of the image processor."""
    folder = tiny_copy.captioner
    rewrite_weights(folder, "bin")
    weights = torch.load(folder / "pytorch_model.bin")
    for layer in range(2):
        weights[f"decoder.transformer.h.{layer}.attn.bias"] = torch.ones(1, 1, 64, 64)
        weights[f"decoder.transformer.h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
        weights[f"decoder.transformer.h.{layer}.crossattention.masked_bias"] = torch.tensor(-1e4)
    torch.save(weights, folder / "pytorch_model.bin")
    processor = json.loads((folder / "preprocessor_config.json").read_text())
    del processor["image_processor_type"]
    processor["feature_extractor_type"] = "ViTFeatureExtractor"
    processor["size"] = 32
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))

    ours, image_processor, _ = load_captioning_model(resolve(str(folder), CAPTIONER), CPU)
    theirs, _, _ = load_captioning_model(resolve(str(tiny.captioner), CAPTIONER), CPU)
    assert torch.equal(parameters(ours), parameters(theirs))
    assert image_processor.size == {"height": 32, "width": 32}


def test_the_half_precision_variant_is_loaded_in_half_precision(tiny_copy: Tiny) -> None:
    for part in PARTS:
        rewrite_weights(tiny_copy.painter / part, "fp16")
    checkpoint = resolve(str(tiny_copy.painter), PAINTER)
    half = load_painting_pipeline(checkpoint, Placement(torch.device("cpu"), torch.float16))
    assert {getattr(half, part).dtype for part in PARTS} == {torch.float16}
    full = load_painting_pipeline(checkpoint, CPU)
    assert {getattr(full, part).dtype for part in PARTS} == {torch.float32}


def test_another_kind_of_pipeline_is_refused(tiny_copy: Tiny) -> None:
    index = tiny_copy.painter / "model_index.json"
    index.write_text(
        index.read_text().replace("StableDiffusionPipeline", "StableDiffusionXLPipeline")
    )
    with pytest.raises(
        CheckpointError, match="is a StableDiffusionXLPipeline; monetize paints with"
    ):
        load_painting_pipeline(resolve(str(tiny_copy.painter), PAINTER), CPU)


def test_another_kind_of_captioner_is_refused(tiny_copy: Tiny) -> None:
    config = tiny_copy.captioner / "config.json"
    config.write_text(config.read_text().replace('"vision-encoder-decoder"', '"llava"'))
    with pytest.raises(CheckpointError, match="is a 'llava' model; a vision-encoder-decoder"):
        load_captioning_model(resolve(str(tiny_copy.captioner), CAPTIONER), CPU)


def test_damaged_weights_are_named(tiny_copy: Tiny) -> None:
    for checkpoint, weights in [
        (resolve(str(tiny_copy.captioner), CAPTIONER), tiny_copy.captioner / "model.safetensors"),
        (
            resolve(str(tiny_copy.painter), PAINTER),
            tiny_copy.painter / "unet" / "diffusion_pytorch_model.safetensors",
        ),
    ]:
        weights.write_bytes(weights.read_bytes()[:1000])
        load = load_captioning_model if checkpoint.layout is CAPTIONER else load_painting_pipeline
        with pytest.raises(CheckpointError, match=r"cannot be loaded: "):
            load(checkpoint, CPU)


def test_a_captioner_with_a_missing_layer_is_refused(tiny_copy: Tiny) -> None:
    """Transformers would fill the layer with noise."""
    rewrite_weights(tiny_copy.captioner, "bin")
    path = tiny_copy.captioner / "pytorch_model.bin"
    weights = torch.load(path)
    del weights["decoder.transformer.h.1.mlp.c_fc.weight"]
    torch.save(weights, path)
    with pytest.raises(
        CheckpointError, match=r"no weights for these layers .*: decoder.transformer.h.1.mlp.c_fc"
    ):
        load_captioning_model(resolve(str(tiny_copy.captioner), CAPTIONER), CPU)


@pytest.mark.parametrize(
    ("part", "key"),
    [
        ("text_encoder", "encoder.layers.1.self_attn.k_proj.weight"),
        ("unet", "conv_in.weight"),
        ("vae", "decoder.conv_out.bias"),
    ],
)
def test_a_painter_with_a_missing_layer_is_refused(tiny_copy: Tiny, part: str, key: str) -> None:
    [path] = (tiny_copy.painter / part).glob("*.safetensors")
    weights = load_file(path)
    [name] = [name for name in weights if name.endswith(key)]
    del weights[name]
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=rf"no weights for .* of its {part}/config.json"):
        load_painting_pipeline(resolve(str(tiny_copy.painter), PAINTER), CPU)


def test_a_vae_with_old_attention_names_loads_the_same(tiny: Tiny, tiny_copy: Tiny) -> None:
    """Stable Diffusion v1 on the hub names its attention query, key, value."""
    rewrite_weights(tiny_copy.painter / "vae", "bin")
    path = tiny_copy.painter / "vae" / "diffusion_pytorch_model.bin"
    renamed = {
        re.sub(r"\.to_out\.0\.", ".proj_attn.", name)
        .replace(".to_q.", ".query.")
        .replace(".to_k.", ".key.")
        .replace(".to_v.", ".value."): tensor
        for name, tensor in torch.load(path).items()
    }
    assert any(".query." in name for name in renamed)
    torch.save(renamed, path)
    ours = load_painting_pipeline(resolve(str(tiny_copy.painter), PAINTER), CPU)
    theirs = load_painting_pipeline(resolve(str(tiny.painter), PAINTER), CPU)
    assert torch.equal(parameters(ours.vae), parameters(theirs.vae))


def test_running_out_of_memory_while_loading_is_not_reported_as_damage(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_out(*_: object) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr("transformers.VisionEncoderDecoderModel.to", run_out)
    with pytest.raises(CheckpointError, match="does not fit in the free memory of the device"):
        load_captioning_model(resolve(str(tiny.captioner), CAPTIONER), CPU)


def test_a_part_of_an_unknown_class_is_named(tiny_copy: Tiny) -> None:
    index = tiny_copy.painter / "model_index.json"
    index.write_text(index.read_text().replace("AutoencoderKL", "AutoencoderOfAnother"))
    with pytest.raises(CheckpointError, match=r"cannot be loaded: .*AutoencoderOfAnother"):
        load_painting_pipeline(resolve(str(tiny_copy.painter), PAINTER), CPU)


@pytest.mark.parametrize("config", ["model_index.json", "unet/config.json"])
def test_a_damaged_configuration_is_named(tiny_copy: Tiny, config: str) -> None:
    (tiny_copy.painter / config).write_text("{")
    with pytest.raises(CheckpointError, match="is not a usable configuration"):
        load_painting_pipeline(resolve(str(tiny_copy.painter), PAINTER), CPU)


def count(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_the_full_size_unet_matches_stable_diffusion_v1() -> None:
    """From unet/config.json of CompVis/stable-diffusion-v1-4."""
    with torch.device("meta"):
        unet = UNet2DConditionModel(
            sample_size=64,
            in_channels=4,
            out_channels=4,
            block_out_channels=(320, 640, 1280, 1280),
            layers_per_block=2,
            attention_head_dim=8,
            cross_attention_dim=768,
            down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
            up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
        )
    names = {name for name, _ in unet.named_parameters()}
    assert count(unet) == 859_520_964
    assert len(names) == 686
    assert "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_v.weight" in names
    assert "mid_block.attentions.0.transformer_blocks.0.attn2.to_out.0.bias" in names
    TokenWeights(unet)
    hooked = [module for module in unet.modules() if module._forward_hooks]
    assert len(hooked) == 16, "one hook for each cross-attention layer"


def test_the_full_size_vae_and_text_encoder_match_stable_diffusion_v1() -> None:
    """From vae/config.json and text_encoder/config.json of CompVis/stable-diffusion-v1-4."""
    with torch.device("meta"):
        vae = AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2,
            latent_channels=4,
            sample_size=512,
        )
        text_encoder = CLIPTextModel(
            CLIPTextConfig(
                hidden_size=768,
                intermediate_size=3072,
                num_attention_heads=12,
                num_hidden_layers=12,
                vocab_size=49408,
            )
        )
    assert count(vae) == 83_653_863
    assert count(text_encoder) == 123_060_480
    assert vae.config.scaling_factor == 0.18215


def test_the_full_size_captioner_matches_vit_gpt2() -> None:
    """From config.json of nlpconnect/vit-gpt2-image-captioning: ViT-B/16 and GPT-2."""
    decoder = GPT2Config(vocab_size=50257, is_decoder=True, add_cross_attention=True)
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(ViTConfig(), decoder)
    with torch.device("meta"):
        model = VisionEncoderDecoderModel(config)
    names = {name for name, _ in model.named_parameters()}
    assert count(model.encoder) == 86_389_248
    gpt2, width = 124_439_808, 768
    # Query, key and value, output, and a layer norm, in each of twelve layers.
    cross_attention = 12 * (4 * (width * width + width) + 2 * width)
    assert count(model.decoder) == gpt2 + cross_attention
    assert "encoder.embeddings.cls_token" in names
    assert "decoder.transformer.h.11.crossattention.c_attn.weight" in names
    assert "decoder.transformer.h.0.crossattention.q_attn.weight" in names
