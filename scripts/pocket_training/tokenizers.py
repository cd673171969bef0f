"""Small vocabularies: each word of the captions is one token, any other text is spelled out."""

import json
from collections.abc import Iterable
from pathlib import Path

from make_tiny_checkpoints import write_clip_vocabulary
from tokenizers import ByteLevelBPETokenizer
from transformers import CLIPTokenizer, GPT2TokenizerFast

END = "<|endoftext|>"
CAPTIONER_TOKENS = 1200
PAINTER_MERGES = 1200
PAINTER_LENGTH = 32  # tokens of a prompt, with start and end; captions have at most 16


def train_gpt2_tokenizer(captions: Iterable[str], folder: Path) -> GPT2TokenizerFast:
    """A byte-level BPE tokenizer of GPT-2's kind."""
    folder.mkdir(parents=True, exist_ok=True)
    bpe = ByteLevelBPETokenizer(add_prefix_space=True)
    bpe.train_from_iterator(
        captions, vocab_size=CAPTIONER_TOKENS, special_tokens=[END], show_progress=False
    )
    bpe.save_model(str(folder))
    return GPT2TokenizerFast(
        str(folder / "vocab.json"), str(folder / "merges.txt"), add_prefix_space=True,
        bos_token=END, eos_token=END, unk_token=END, pad_token=END,
    )  # fmt: skip


def train_clip_tokenizer(clip: Path, texts: Iterable[str], folder: Path) -> CLIPTokenizer:
    """A CLIP tokenizer with merges learned from the texts; `clip` is the folder of any other."""
    original = CLIPTokenizer.from_pretrained(clip, local_files_only=True)
    learned = original.train_new_from_iterator(texts, vocab_size=514 + PAINTER_MERGES)
    learned.save_pretrained(folder)
    merges = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["merges"]
    # The trainer's vocabulary has few of the letters that end a word, so it is rebuilt.
    for file in folder.iterdir():
        file.unlink()
    write_clip_vocabulary(folder, [" ".join(pair) for pair in merges], PAINTER_LENGTH)
    return CLIPTokenizer.from_pretrained(folder, local_files_only=True)
