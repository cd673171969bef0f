"""Write tiny image-text captioners with random weights, in the layout and formats of the real ones.

    python scripts/make_tiny_captioners.py FOLDER

makes FOLDER/blip, FOLDER/blip-2, FOLDER/git and FOLDER/florence2, a few megabytes together.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch
import transformers
from make_tiny_checkpoints import CAPTION_WORDS
from tokenizers import ByteLevelBPETokenizer
from transformers import (
    BartConfig,
    BertTokenizerFast,
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2QFormerConfig,
    Blip2VisionConfig,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessorPil,
    BlipTextConfig,
    BlipVisionConfig,
    CLIPImageProcessorPil,
    Florence2Config,
    Florence2ForConditionalGeneration,
    Florence2VisionConfig,
    GitConfig,
    GitForCausalLM,
    GitVisionConfig,
    GPT2TokenizerFast,
    OPTConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

BERT_SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
IMAGE_TOKEN = "<image>"
SIDE, PATCH = 32, 8
WIDTHS = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
}  # fmt: skip
VISION = {**WIDTHS, "image_size": SIDE, "patch_size": PATCH}
# Much larger than a new model's, so that different photos get different captions.
SPREAD = 0.5


def make_blip(folder: Path) -> None:
    """Write a BLIP: a ViT, and a BERT that looks at its patches."""
    tokenizer = _bert_tokenizer(folder)
    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in BERT_SPECIALS}
    text = BlipTextConfig(
        **WIDTHS,
        vocab_size=len(tokenizer) + 1,
        encoder_hidden_size=32,
        projection_dim=32,
        max_position_embeddings=64,
        initializer_range=SPREAD,
        bos_token_id=len(tokenizer),  # which the tokenizer does not have, as in the real one
        eos_token_id=ids["[SEP]"],
        sep_token_id=ids["[SEP]"],
        pad_token_id=ids["[PAD]"],
    )
    vision = BlipVisionConfig(**VISION, initializer_range=SPREAD)
    config = BlipConfig(
        text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=32,
        image_text_hidden_size=32,
    )  # fmt: skip
    _write(folder, BlipForConditionalGeneration(config), tokenizer, _blip_images())
    _write_json(folder / "processor_config.json", {"processor_class": "BlipProcessor"})


def make_blip2(folder: Path) -> None:
    """Write a BLIP-2: a ViT, queries that look at its patches, and an OPT that reads them."""
    tokenizer = _bpe_tokenizer(folder, image_token=False)
    tokenizer.add_tokens([IMAGE_TOKEN], special_tokens=True)
    text = OPTConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        word_embed_proj_dim=32,
        ffn_dim=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=64,
        init_std=SPREAD,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    qformer = Blip2QFormerConfig(
        **WIDTHS, vocab_size=30, encoder_hidden_size=32, initializer_range=SPREAD
    )
    vision = Blip2VisionConfig(**VISION, initializer_range=SPREAD)
    config = Blip2Config(
        vision_config=vision.to_dict(),
        qformer_config=qformer.to_dict(),
        text_config=text.to_dict(),
        num_query_tokens=4,
        image_text_hidden_size=32,
        image_token_index=tokenizer.convert_tokens_to_ids(IMAGE_TOKEN),
    )
    _write(folder, Blip2ForConditionalGeneration(config), tokenizer, _blip_images())
    processor = {"processor_class": "Blip2Processor", "num_query_tokens": 4}
    _write_json(folder / "processor_config.json", processor)


def make_git(folder: Path) -> None:
    """Write a GIT: a CLIP ViT whose patches a BERT reads before the text."""
    tokenizer = _bert_tokenizer(folder)
    config = GitConfig(
        **WIDTHS,
        vision_config=GitVisionConfig(**VISION, initializer_range=SPREAD).to_dict(),
        vocab_size=len(tokenizer),
        max_position_embeddings=64,
        initializer_range=SPREAD,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
    )
    images = CLIPImageProcessorPil(
        size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}
    )
    _write(folder, GitForCausalLM(config), tokenizer, images)
    _write_json(folder / "processor_config.json", {"processor_class": "GitProcessor"})


def make_florence2(folder: Path) -> None:
    """Write a Florence-2: a DaViT, and a BART that reads its features and a task."""
    tokenizer = _bpe_tokenizer(folder, image_token=True)
    vision = Florence2VisionConfig(
        depths=(1, 1, 1, 1),
        embed_dim=(8, 8, 16, 16),
        num_heads=(2, 2, 4, 4),
        num_groups=(2, 2, 4, 4),
        window_size=2,
        projection_dim=32,
        initializer_range=SPREAD,
    )
    text = BartConfig(
        vocab_size=len(tokenizer),
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_position_embeddings=128,
        init_std=SPREAD,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        decoder_start_token_id=tokenizer.eos_token_id,
        forced_eos_token_id=tokenizer.eos_token_id,
    )
    config = Florence2Config(
        vision_config=vision.to_dict(),
        text_config=text.to_dict(),
        image_token_id=tokenizer.convert_tokens_to_ids(IMAGE_TOKEN),
    )
    # A side of 64 pixels gives 2 × 2 places, and their mean is one more.
    images = CLIPImageProcessorPil(
        size={"height": 64, "width": 64},
        do_center_crop=False,
        crop_size={"height": 64, "width": 64},
    )
    images.image_seq_length = 5
    _write(folder, Florence2ForConditionalGeneration(config), tokenizer, images)
    _write_json(folder / "processor_config.json", {"processor_class": "Florence2Processor"})


MAKERS: dict[str, Callable[[Path], None]] = {
    "blip": make_blip, "blip-2": make_blip2, "git": make_git, "florence2": make_florence2,
}  # fmt: skip


def _bert_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    folder.mkdir(parents=True, exist_ok=True)
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    entries = dict.fromkeys(
        [*BERT_SPECIALS, *CAPTION_WORDS.split(), *letters, *(f"##{letter}" for letter in letters)]
    )
    (folder / "vocab.txt").write_text("\n".join(entries) + "\n", encoding="utf-8")
    return BertTokenizerFast.from_pretrained(str(folder), do_lower_case=True)


def _bpe_tokenizer(folder: Path, *, image_token: bool) -> PreTrainedTokenizerBase:
    folder.mkdir(parents=True, exist_ok=True)
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    bpe = ByteLevelBPETokenizer(add_prefix_space=True)
    bpe.train_from_iterator(
        [CAPTION_WORDS] * 10, vocab_size=600, special_tokens=specials, show_progress=False
    )
    bpe.save_model(str(folder))
    extra = {"extra_special_tokens": {"image_token": IMAGE_TOKEN}} if image_token else {}
    return GPT2TokenizerFast(
        str(folder / "vocab.json"),
        str(folder / "merges.txt"),
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        **extra,
    )


def _blip_images() -> BlipImageProcessorPil:
    return BlipImageProcessorPil(size={"height": SIDE, "width": SIDE})


def _write(
    folder: Path,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    image_processor: BlipImageProcessorPil | CLIPImageProcessorPil,
) -> None:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    image_processor.save_pretrained(folder)


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    transformers.utils.logging.disable_progress_bar()
    for name, make in MAKERS.items():
        torch.manual_seed(0)
        make(folder / name)
    print(f"Tiny random captioners are in {folder}: {', '.join(MAKERS)}")
