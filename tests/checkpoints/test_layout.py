import pytest

from monetize.checkpoints.layout import CAPTIONER, CHECKED_PAINTER, PAINTER, PAINTER_TOKENIZER

# The files of CompVis/stable-diffusion-v1-4 on the hub that matter here.
SD_V1_4 = [
    "README.md",
    "model_index.json",
    "feature_extractor/preprocessor_config.json",
    "safety_checker/config.json",
    "safety_checker/model.safetensors",
    "safety_checker/model.fp16.safetensors",
    "safety_checker/pytorch_model.bin",
    "safety_checker/pytorch_model.fp16.bin",
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "text_encoder/model.fp16.safetensors",
    "text_encoder/pytorch_model.bin",
    "text_encoder/pytorch_model.fp16.bin",
    "tokenizer/merges.txt",
    "tokenizer/special_tokens_map.json",
    "tokenizer/tokenizer_config.json",
    "tokenizer/vocab.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.bin",
    "unet/diffusion_pytorch_model.fp16.bin",
    "unet/diffusion_pytorch_model.fp16.safetensors",
    "unet/diffusion_pytorch_model.safetensors",
    "vae/config.json",
    "vae/diffusion_pytorch_model.bin",
    "vae/diffusion_pytorch_model.fp16.bin",
    "vae/diffusion_pytorch_model.fp16.safetensors",
    "vae/diffusion_pytorch_model.safetensors",
]
LEGACY = [name for name in SD_V1_4 if ".fp16." not in name and "safetensors" not in name]
CONFIGS = {
    "model_index.json", "scheduler/scheduler_config.json", "text_encoder/config.json",
    "tokenizer/merges.txt", "tokenizer/special_tokens_map.json", "tokenizer/tokenizer_config.json",
    "tokenizer/vocab.json", "unet/config.json", "vae/config.json",
}  # fmt: skip


@pytest.mark.parametrize(
    ("files", "half", "weights"),
    [
        (SD_V1_4, True, {
            "text_encoder/model.fp16.safetensors",
            "unet/diffusion_pytorch_model.fp16.safetensors",
            "vae/diffusion_pytorch_model.fp16.safetensors",
        }),
        (SD_V1_4, False, {
            "text_encoder/model.safetensors",
            "unet/diffusion_pytorch_model.safetensors",
            "vae/diffusion_pytorch_model.safetensors",
        }),
        (LEGACY, True, {
            "text_encoder/pytorch_model.bin",
            "unet/diffusion_pytorch_model.bin",
            "vae/diffusion_pytorch_model.bin",
        }),
    ],
)  # fmt: skip
def test_each_part_is_selected_once_in_the_best_format(
    files: list[str], half: bool, weights: set[str]
) -> None:
    assert set(PAINTER.select(files, PAINTER.variant(files, half=half))) == CONFIGS | weights


def test_the_safety_checker_is_selected_only_if_requested() -> None:
    more = set(CHECKED_PAINTER.select(SD_V1_4, "fp16")) - set(PAINTER.select(SD_V1_4, "fp16"))
    assert more == {
        "feature_extractor/preprocessor_config.json",
        "safety_checker/config.json",
        "safety_checker/model.fp16.safetensors",
    }


def test_the_tokenizer_alone_needs_no_weights() -> None:
    chosen = PAINTER_TOKENIZER.select(SD_V1_4, None)
    assert {name.partition("/")[0] for name in chosen} == {"model_index.json", "tokenizer"}


def test_half_precision_weights_are_used_if_there_are_no_others() -> None:
    only_half = [name for name in SD_V1_4 if name in CONFIGS or ".fp16.safetensors" in name]
    assert PAINTER.missing(only_half) == []
    assert PAINTER.variant(only_half, half=False) == "fp16"
    mixed = [name for name in SD_V1_4 if name != "vae/diffusion_pytorch_model.fp16.safetensors"]
    mixed.remove("vae/diffusion_pytorch_model.fp16.bin")
    assert PAINTER.variant(mixed, half=True) is None


def test_sharded_weights_count() -> None:
    sharded = [
        *(name for name in SD_V1_4 if not name.startswith("unet/diffusion")),
        "unet/diffusion_pytorch_model-00001-of-00002.safetensors",
        "unet/diffusion_pytorch_model-00002-of-00002.safetensors",
        "unet/diffusion_pytorch_model.safetensors.index.json",
    ]
    chosen = PAINTER.select(sharded, None)
    assert {name for name in sharded if name.startswith("unet/")} <= set(chosen)


def test_missing_files_are_named() -> None:
    without = [n for n in SD_V1_4 if n not in ("tokenizer/vocab.json", "vae/config.json")]
    without = [n for n in without if not n.startswith("unet/diffusion")]
    assert PAINTER.missing(without) == [
        "vae/config.json",
        "tokenizer/vocab.json + tokenizer/merges.txt",
        "weights in unet/",
    ]


def test_the_legacy_files_of_the_real_captioner_are_enough() -> None:
    files = [
        "README.md",
        "config.json",
        "merges.txt",
        "preprocessor_config.json",
        "pytorch_model.bin",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.json",
    ]
    assert CAPTIONER.missing(files) == []
    assert set(CAPTIONER.select(files, None)) == set(files) - {"README.md"}
