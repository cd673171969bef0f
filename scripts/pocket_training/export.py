"""Trained parts → the folders that monetize loads: half precision, the layout of the real ones."""

import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderTiny
from transformers import CLIPTokenizer, PreTrainedTokenizerBase, VisionEncoderDecoderModel

from pocket_training.captioner import image_processor
from pocket_training.painter import Painter, assemble


def export(
    captioner: VisionEncoderDecoderModel,
    captioner_tokenizer: PreTrainedTokenizerBase,
    painter: Painter,
    painter_tokenizer: CLIPTokenizer,
    vae: AutoencoderTiny,
    folder: Path,
) -> int:
    """Write FOLDER/captioner and FOLDER/painter anew; returns their size in bytes."""
    for name in ("captioner", "painter"):
        shutil.rmtree(folder / name, ignore_errors=True)
    half = captioner.to("cpu", torch.float16)
    half.save_pretrained(folder / "captioner")
    captioner_tokenizer.save_pretrained(folder / "captioner")
    image_processor().save_pretrained(folder / "captioner")
    pipeline = assemble(painter, vae, painter_tokenizer).to("cpu", torch.float16)
    pipeline.save_pretrained(folder / "painter")
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
