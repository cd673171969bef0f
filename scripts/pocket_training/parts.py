"""The parts that are trained: created, or loaded from an earlier training, and saved.

The folder is the one that monetize loads: half precision, in the layout of the real checkpoints.
"""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderTiny, StableDiffusionPipeline
from make_tiny_checkpoints import write_clip_tokenizer
from transformers import (
    AutoTokenizer,
    CLIPTokenizer,
    PreTrainedTokenizerBase,
    VisionEncoderDecoderModel,
)

from monetize.checkpoints import known_words
from pocket_training import autoencoder, captioner
from pocket_training.data import STYLE, frequent_words
from pocket_training.painter import Painter, assemble
from pocket_training.tokenizers import train_clip_tokenizer, train_gpt2_tokenizer


@dataclass
class Parts:
    """The parts of the two models; the tokenizers are never trained further."""

    captioner: VisionEncoderDecoderModel
    captioner_tokenizer: PreTrainedTokenizerBase
    autoencoder: AutoencoderTiny
    painter: Painter
    painter_tokenizer: CLIPTokenizer

    @classmethod
    def build(cls, captions: Sequence[str], work: Path, seed: int) -> "Parts":
        """Untrained parts, with tokenizers for these captions.

        The autoencoder is for pictures of 128 × 128, which are cheaper to train on; `widen` turns
        it into one for 256 × 256.
        """
        torch.manual_seed(seed)
        gpt2 = train_gpt2_tokenizer(captions, work / "gpt2")
        write_clip_tokenizer(work / "clip")
        styled = [text + STYLE for text in captions]
        clip = train_clip_tokenizer(work / "clip", styled, work / "tokenizer")
        vae = autoencoder.build()
        painter = Painter(clip, vae.config.latent_channels)
        return cls(captioner.build(gpt2), gpt2, vae, painter, clip)

    @classmethod
    def load(cls, folder: Path) -> "Parts":
        """The parts that `save` wrote, to train further.

        The autoencoder's encoder stays fixed: the painter has learned what its latents mean.
        """
        pipeline = StableDiffusionPipeline.from_pretrained(
            folder / "painter", safety_checker=None, dtype=torch.float32
        )
        pipeline.vae.encoder.requires_grad_(False)
        speaker = VisionEncoderDecoderModel.from_pretrained(
            folder / "captioner", dtype=torch.float32
        )
        painter = Painter(pipeline.tokenizer, pipeline.vae.config.latent_channels)
        painter.text_encoder, painter.unet = pipeline.text_encoder, pipeline.unet
        return cls(
            speaker,
            AutoTokenizer.from_pretrained(folder / "captioner"),
            pipeline.vae,
            painter,
            pipeline.tokenizer,
        )

    def save(self, folder: Path, captions: Iterable[str]) -> int:
        """Write FOLDER/captioner and FOLDER/painter; returns their size in bytes.

        The frequent words of the captions are listed as those that the painter knows.
        """
        for part in (self.captioner, self.autoencoder, self.painter):
            part.to("cpu", torch.float16)
        for model in (self.autoencoder, self.painter.unet):
            model.register_to_config(_name_or_path="")  # a folder of this machine
        pipeline = assemble(self.painter, self.autoencoder, self.painter_tokenizer)
        partial = folder / "captioner.partial", folder / "painter.partial"
        for each in partial:
            shutil.rmtree(each, ignore_errors=True)
        self.captioner.save_pretrained(partial[0])
        self.captioner_tokenizer.save_pretrained(partial[0])
        captioner.image_processor().save_pretrained(partial[0])
        pipeline.save_pretrained(partial[1])
        words = "\n".join(frequent_words(captions))
        (partial[1] / known_words.FILE).write_text(words + "\n", "utf-8")
        written = 0
        for each in partial:
            final = each.with_suffix("")
            shutil.rmtree(final, ignore_errors=True)
            each.rename(final)
            written += sum(file.stat().st_size for file in final.rglob("*") if file.is_file())
        return written
