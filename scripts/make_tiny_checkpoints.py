"""Write tiny checkpoints with random weights, in the layout and file formats of the real ones.

    python scripts/make_tiny_checkpoints.py FOLDER

makes FOLDER/captioner (ViT + GPT-2) and FOLDER/painter (Stable Diffusion v1's parts, 64 × 64),
about 10 MB together. They can test everything except what the pictures show.
"""

import argparse
import gzip
import json
from pathlib import Path

import diffusers
import torch
import transformers
from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from tokenizers import ByteLevelBPETokenizer
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    GPT2TokenizerFast,
    VisionEncoderDecoderModel,
    ViTConfig,
    ViTImageProcessor,
    ViTModel,
)

CLIP_MERGES = Path(__file__).parent.parent / "tests" / "clip" / "bpe_simple_vocab_16e6.txt.gz"
CLIP_VOCABULARY_SIZE = 49_408
GPT2_END = "<|endoftext|>"
CAPTION_WORDS = (
    "a the of in on with and large small tree trees field mountain mountains river lake sea boat "
    "boats beach sunset sky cloudy blue red green bridge garden flowers path house street people"
)


def write_clip_tokenizer(folder: Path) -> None:
    """Write the real CLIP vocabulary in transformers' form."""
    lines = gzip.decompress(CLIP_MERGES.read_bytes()).decode().split("\n")
    write_clip_vocabulary(folder, lines[1 : CLIP_VOCABULARY_SIZE - 2 * 256 - 2 + 1])


def write_clip_vocabulary(folder: Path, merges: list[str], model_max_length: int = 77) -> None:
    """Write vocab.json, merges.txt and the config of a CLIP tokenizer with these merges.

    The order is that of OpenAI's `simple_tokenizer.py`: bytes, bytes that end a word, merges,
    start, end.
    """
    letters = _byte_letters()
    entries = [*letters, *(letter + "</w>" for letter in letters)]
    entries += [merge.replace(" ", "") for merge in merges]
    entries += ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {entry: i for i, entry in enumerate(entries)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), "utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", "utf-8")
    config = {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": model_max_length,
        "do_lower_case": True,
        "bos_token": "<|startoftext|>",
        "eos_token": "<|endoftext|>",
        "unk_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2), "utf-8")


def _byte_letters() -> list[str]:
    """A printable letter for each byte, in CLIP's order: printable bytes first."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return [chr(byte) for byte in printable] + [chr(256 + i) for i in range(256 - len(printable))]


def make_painter(folder: Path, seed: int = 0) -> None:
    """Write a Stable Diffusion v1 pipeline with few channels."""
    write_clip_tokenizer(folder / "tokenizer")
    torch.manual_seed(seed)
    width = 32
    pipeline = StableDiffusionPipeline(
        tokenizer=CLIPTokenizer.from_pretrained(folder / "tokenizer"),
        text_encoder=CLIPTextModel(
            CLIPTextConfig(
                vocab_size=CLIP_VOCABULARY_SIZE,
                hidden_size=width,
                intermediate_size=2 * width,
                num_hidden_layers=2,
                num_attention_heads=4,
                bos_token_id=CLIP_VOCABULARY_SIZE - 2,
                eos_token_id=CLIP_VOCABULARY_SIZE - 1,
                pad_token_id=1,
            )
        ),
        unet=UNet2DConditionModel(
            sample_size=8,
            block_out_channels=(16, width),
            layers_per_block=1,
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
            cross_attention_dim=width,
            attention_head_dim=4,
            norm_num_groups=8,
        ),
        vae=AutoencoderKL(
            block_out_channels=(8, 8, 16, 16),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            latent_channels=4,
            norm_num_groups=4,
            sample_size=64,
        ),
        scheduler=PNDMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            skip_prk_steps=True,
            set_alpha_to_one=False,
            steps_offset=1,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder)


def make_captioner(folder: Path, seed: int = 0) -> None:
    """Write a ViT + GPT-2 captioner with few channels and about forty words."""
    folder.mkdir(parents=True, exist_ok=True)
    bpe = ByteLevelBPETokenizer(add_prefix_space=True)
    bpe.train_from_iterator(
        [CAPTION_WORDS] * 10, vocab_size=600, special_tokens=[GPT2_END], show_progress=False
    )
    bpe.save_model(str(folder))
    tokenizer = GPT2TokenizerFast(
        str(folder / "vocab.json"),
        str(folder / "merges.txt"),
        bos_token=GPT2_END,
        eos_token=GPT2_END,
        unk_token=GPT2_END,
        pad_token=GPT2_END,
    )
    end = tokenizer.eos_token_id
    torch.manual_seed(seed)
    # Weights much larger than a new model's, so that different photos get different captions.
    encoder = ViTModel(
        ViTConfig(
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            image_size=32,
            patch_size=8,
            initializer_range=1.0,
        )
    )
    decoder = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=len(tokenizer),
            n_embd=32,
            n_layer=2,
            n_head=4,
            n_positions=64,
            add_cross_attention=True,
            is_decoder=True,
            initializer_range=1.0,
            bos_token_id=end,
            eos_token_id=end,
        )
    )
    model = VisionEncoderDecoderModel(encoder=encoder, decoder=decoder)
    for config in (model.config, model.generation_config):
        config.decoder_start_token_id = config.eos_token_id = config.pad_token_id = end
    words = {f"Ġ{word}" for word in CAPTION_WORDS.split()}
    model.generation_config.suppress_tokens = [
        i
        for i, token in enumerate(tokenizer.convert_ids_to_tokens(range(len(tokenizer))))
        if token not in words and i != end
    ]
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    make_captioner(folder / "captioner")
    make_painter(folder / "painter")
    print(f"Tiny random checkpoints are in {folder}/captioner and {folder}/painter")
