"""The autoencoder for 256 × 256 pictures, from one for 128 × 128 with the same latents.

Encoder and decoder get one more stage. The encoder learns to give a picture the latents that the
smaller one gives it at half the size, so that the painter's latents keep their meaning. The decoder
learns to paint what a discriminator takes for paintings in the style.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import torch
from diffusers import AutoencoderTiny, StableDiffusionPipeline
from diffusers.models.autoencoders.vae import AutoencoderTinyBlock, DecoderTiny
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from pocket_training.autoencoder import LATENT_CHANNELS, WIDTH
from pocket_training.data import sheet, to_bytes, to_unit
from pocket_training.discriminator import Discriminator
from pocket_training.loop import Plan, autocast, fit
from pocket_training.perceptual import Perceptual

SIZE, SMALL_SIZE = 256, 128
STAGES = 5
CROP = 128  # pixels that are judged; the decoder's first stages see the whole
MARGIN = 8  # pixels around a crop that are painted as context for the convolutions, then cut off
WHOLE_LAYERS = 11  # of the decoder that come before the crop, up to maps of MAP × MAP
MAP = 64
LATENT_PIXELS = 16  # along a side of the square that a latent stands for
BLUR = 9  # pixels
RIM = 8  # pixels
NOISE = 0.15  # at most; the painter's latents are not exact either
PAINTED_AT_ONCE = 16
FITTED = 24  # pictures of each set that the encoder's first layers are fitted to


def widen(small: AutoencoderTiny) -> AutoencoderTiny:
    """An autoencoder for 256 × 256 pictures that does about what `small` does at 128 × 128.

    It upsamples bilinearly: nearest neighbors leave a weave on flat skies.
    """
    large = AutoencoderTiny(
        encoder_block_out_channels=(WIDTH,) * STAGES,
        decoder_block_out_channels=(WIDTH,) * STAGES,
        num_encoder_blocks=(0, 0, 2, 3, 3),
        num_decoder_blocks=(3, 3, 2, 1, 0),
        latent_channels=LATENT_CHANNELS,
        upsample_fn="bilinear",
        scaling_factor=small.config.scaling_factor,
    )
    old, new = small.encoder.layers, large.encoder.layers
    for source, target in zip(old[1:], new[2:], strict=True):
        target.load_state_dict(source.state_dict())
    old, new = small.decoder.layers, large.decoder.layers
    for source, target in zip(old[:-1], new, strict=False):
        target.load_state_dict(source.state_dict())
    new[-1].load_state_dict(old[-1].state_dict())
    block, grown = new[-4], new[-2]
    assert isinstance(block, AutoencoderTinyBlock)
    block.conv[-1].weight.data *= 0.1
    nn.init.zeros_(block.conv[-1].bias)
    nn.init.dirac_(grown.weight)
    return large


def train_encoder(
    model: AutoencoderTiny,
    small: AutoencoderTiny,
    pictures: Sequence[Tensor],
    plan: Plan,
    work: Path,
    *,
    device: torch.device,
    seed: int,
) -> AutoencoderTiny:
    """Teach the encoder the latents of `small`, on sets of uint8 pictures of 256 × 256."""
    torch.manual_seed(seed)
    _fit_first_layers(model, small, torch.cat([some[:FITTED] for some in pictures]))
    small.to(device).eval()

    def loss_of(encoder: nn.Module, generator: torch.Generator, _progress: float) -> Tensor:
        count = plan.batch_size // len(pictures)
        chosen = [torch.randint(len(some), (count,), generator=generator) for some in pictures]
        batch = torch.cat([some[each] for some, each in zip(pictures, chosen, strict=True)])
        batch = to_unit(batch).to(device).contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            goals = small.encoder(halved(batch))
        with autocast(device):
            latents = encoder(batch).float()
        return functional.mse_loss(latents, goals)

    model.to(device, memory_format=torch.channels_last)
    model.encoder = fit("encoder", model.encoder, loss_of, plan, work, seed=seed)
    return model


@torch.no_grad()
def _fit_first_layers(large: AutoencoderTiny, small: AutoencoderTiny, pictures: Tensor) -> None:
    """Fit the first two layers to output what the first layer of `small` does.

    Together they are linear and see squares of 5 × 5 pixels: the first layer passes on the nine
    neighbors of every pixel and a constant, the second has weights by least squares.
    """
    first, second = large.encoder.layers[:2]
    pixels = to_unit(pictures)
    goals = small.encoder.layers[0]((halved(pixels) + 1) / 2)
    squares = functional.unfold((pixels + 1) / 2, 5, padding=2, stride=2)
    ones = torch.ones_like(squares[:, :1])
    seen = torch.cat([squares, ones], dim=1).transpose(1, 2).flatten(0, 1).double()
    wanted = goals.flatten(2).transpose(1, 2).flatten(0, 1).double()
    # Neighbors are so alike that single precision is not enough.
    kernel = torch.linalg.solve(seen.T @ seen, seen.T @ wanted).float()
    neighbors = torch.eye(27).view(27, 3, 3, 3)
    for parameter in (first.weight, first.bias, second.weight):
        nn.init.zeros_(parameter)
    first.weight[:27] = neighbors
    first.bias[27] = 1
    for channel, row, column in product(range(3), range(5), range(5)):
        # The tap of the second layer, and the neighbor that the first one passes to it.
        down, right = min(row, 2), min(column, 2)
        neighbor = 9 * channel + 3 * (row - down) + column - right
        second.weight[:, neighbor, down, right] = kernel[25 * channel + 5 * row + column]
    second.weight[:, 27, 1, 1] = kernel[-1]
    for layer in (first, second):
        layer.weight += 1e-3 * torch.randn_like(layer.weight)  # the unused channels learn, too


def halved(pictures: Tensor) -> Tensor:
    """Pictures in [-1, 1] at half the size, as the smaller autoencoder was trained on."""
    size = [side // 2 for side in pictures.shape[2:]]
    small = functional.interpolate(pictures, size, mode="bicubic", antialias=True)
    return small.clamp(-1, 1).contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class Lesson:
    """Latents (count, channels, 16, 16), and the pictures (count, 3, 256, 256) they stand for.

    If the pictures are not exact, only their colors count, because nobody knows what the painter's
    latents should look like. `count` of them are in every batch.
    """

    latents: Tensor
    pictures: Tensor
    exact: bool
    count: int


def paint(
    pipeline: StableDiffusionPipeline, prompts: Sequence[str], kept: Path
) -> tuple[Tensor, Tensor]:
    """The painter's latents for prompts and their pictures, kept in a file."""
    if not kept.exists():
        vae = pipeline.vae
        latents, pictures = [], []
        for i in tqdm(range(0, len(prompts), PAINTED_AT_ONCE), desc="paintings", unit="batch"):
            some = list(prompts[i : i + PAINTED_AT_ONCE])
            made = pipeline(
                some,
                num_inference_steps=15,
                guidance_scale=4.0,
                generator=[torch.Generator().manual_seed(i + j) for j in range(len(some))],
                output_type="latent",
            ).images
            made = made / vae.config.scaling_factor
            with torch.inference_mode():
                pictures.append(to_bytes(vae.decoder(made)).cpu())
            latents.append(made.half().cpu())
        torch.save([torch.cat(latents), torch.cat(pictures)], kept.with_suffix(".partial"))
        kept.with_suffix(".partial").replace(kept)
    latents_kept, pictures_kept = torch.load(kept, weights_only=True)
    return latents_kept, pictures_kept


class Learner(nn.Module):
    """The decoder and its discriminator, trained by one optimizer."""

    def __init__(self, decoder: DecoderTiny, discriminator: Discriminator) -> None:
        super().__init__()
        self.decoder = decoder
        self.discriminator = discriminator


def train(
    model: AutoencoderTiny,
    lessons: Sequence[Lesson],
    paintings: Tensor,
    discriminator: Discriminator,
    plan: Plan,
    work: Path,
    *,
    lpips: Path,
    device: torch.device,
    seed: int,
    shown: Tensor,
) -> AutoencoderTiny:
    """Train the decoder to paint pictures that pass for paintings, uint8 (count, 3, 256, 256).

    The lessons with exact pictures come first. `shown` are latents for the sample sheet.
    """
    torch.manual_seed(seed)
    compare = Perceptual(lpips).to(device)
    exact = sum(lesson.count for lesson in lessons if lesson.exact)

    def loss_of(learner: Learner, generator: torch.Generator, progress: float) -> Tensor:
        latents, pictures = _drawn(lessons, generator)
        goals, boxes = _crops(pictures, generator)
        goals = to_unit(goals).to(device).contiguous(memory_format=torch.channels_last)
        noise = NOISE * torch.rand(len(latents), 1, 1, 1, generator=generator)
        noisy = latents + noise * torch.randn(latents.shape, generator=generator)
        real = to_unit(_drawn_crops(paintings, plan.batch_size, generator)).to(device)
        judge = learner.discriminator
        with autocast(device):
            painted = decoded_crops(learner.decoder, noisy.to(device), boxes).float()
            likeness, texture = compare(painted[:exact], goals[:exact])
            maps = judge.see(painted)
            persuaded = judge.persuaded(maps)
            with torch.no_grad():
                seen = judge.see(real)
            mistaken = judge.mistaken(seen, maps)
        colors = functional.l1_loss(_coarse(painted), _coarse(goals))
        differences = (painted - goals)[:exact].abs()
        details = differences.mean()
        rims = _rims(boxes[:exact]).to(device)
        rim = (differences * rims).sum() / (3 * rims.sum() + 1)
        grain = functional.relu(_grain(painted[:exact]) - _grain(goals[:exact])).mean()
        # The heads have to know paintings before their loss counts.
        trusted = min(max((progress - 0.02) / 0.03, 0.0), 1.0)
        loss: Tensor = (
            colors + 0.3 * details + 0.7 * likeness + 0.1 * texture
            + 2 * grain + 10 * weave(painted) + rim + 0.25 * trusted * persuaded + mistaken
        )  # fmt: skip
        return loss

    def draw(learner: Learner) -> Image.Image:
        painted = learner.decoder(shown.to(device))
        return sheet(torch.split(to_bytes(painted).cpu(), 4))

    model.to(device, memory_format=torch.channels_last)
    learner = Learner(model.decoder, discriminator)
    learner.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    model.decoder = fit("decoder", learner, loss_of, plan, work, seed=seed, draw=draw).decoder
    return model


def _drawn(lessons: Sequence[Lesson], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    latents, pictures = [], []
    for lesson in lessons:
        chosen = torch.randint(len(lesson.latents), (lesson.count,), generator=generator)
        latents.append(lesson.latents[chosen].float())
        pictures.append(lesson.pictures[chosen])
    return torch.cat(latents), torch.cat(pictures)


def _crops(pictures: Tensor, generator: torch.Generator) -> tuple[Tensor, list[tuple[int, int]]]:
    """A crop of each picture, and its top left corner on the decoder's map."""
    scale = SIZE // MAP
    most = (SIZE - CROP) // LATENT_PIXELS
    # Some are drawn beyond the edges and moved to them: edges are hard to paint.
    places = torch.randint(-2, most + 3, (len(pictures), 2), generator=generator)
    corners = (places.clamp(0, most) * (LATENT_PIXELS // scale)).tolist()
    crops = [
        picture[:, scale * top : scale * top + CROP, scale * left : scale * left + CROP]
        for picture, (top, left) in zip(pictures, corners, strict=True)
    ]
    return torch.stack(crops), [(top, left) for top, left in corners]


def _drawn_crops(pictures: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Crops of pictures drawn at random, every second one mirrored."""
    chosen = torch.randint(len(pictures), (count,), generator=generator)
    crops, _ = _crops(pictures[chosen], generator)
    crops[::2] = crops[::2].flip(3)
    return crops


def decoded_crops(decoder: DecoderTiny, latents: Tensor, corners: list[tuple[int, int]]) -> Tensor:
    """The crops (count, 3, CROP, CROP) of the decoder's pictures of latents.

    The first stages run on the whole, because they see far; the others on the crop with a margin.
    """
    x = (latents / 3).tanh() * 3  # as the decoder's own `forward` does, which cannot crop
    for layer in decoder.layers[:WHOLE_LAYERS]:
        x = layer(x)
    # At the edges of the picture there is no margin to paint.
    scale = SIZE // MAP
    side = (CROP + 2 * MARGIN) // scale
    starts = [
        [min(max(place - MARGIN // scale, 0), MAP - side) for place in corner] for corner in corners
    ]
    cut = [
        each[:, top : top + side, left : left + side]
        for each, (top, left) in zip(x, starts, strict=True)
    ]
    x = torch.stack(cut).contiguous(memory_format=torch.channels_last)
    for layer in decoder.layers[WHOLE_LAYERS:]:
        x = layer(x)
    offsets = [
        [scale * (place - start) for place, start in zip(*each, strict=True)]
        for each in zip(corners, starts, strict=True)
    ]
    crops = [
        each[:, down : down + CROP, right : right + CROP]
        for each, (down, right) in zip(x, offsets, strict=True)
    ]
    return torch.stack(crops) * 2 - 1


def _rims(corners: list[tuple[int, int]]) -> Tensor:
    """Masks (count, 1, CROP, CROP) of the pixels at the edges of the pictures.

    The convolutions see nothing beyond an edge, and few of a picture's pixels are there.
    """
    masks = torch.zeros(len(corners), 1, CROP, CROP)
    last = MAP - CROP * MAP // SIZE
    for mask, (top, left) in zip(masks, corners, strict=True):
        mask[:, :RIM] += top == 0
        mask[:, -RIM:] += top == last
        mask[:, :, :RIM] += left == 0
        mask[:, :, -RIM:] += left == last
    return masks.clamp_max(1)


def _coarse(pictures: Tensor) -> Tensor:
    return functional.avg_pool2d(pictures, 8)


def _grain(pictures: Tensor) -> Tensor:
    """How much neighboring pixels differ in each square of 8 × 8 pixels.

    A painting with more of it than its original has a weave on a flat sky.
    """
    fine = pictures - functional.avg_pool2d(pictures, 3, 1, padding=1, count_include_pad=False)
    return (functional.avg_pool2d(fine.square(), 8) + 1e-5).sqrt()


def weave(pictures: Tensor) -> Tensor:
    """The strength of the pattern that repeats with every latent, which flat skies show as a weave.

    Averaged over the squares of all latents, what is painted there on purpose cancels out.
    """
    half = BLUR // 2
    fine = pictures[..., half:-half, half:-half] - functional.avg_pool2d(pictures, BLUR, 1)
    # Whole squares from the second on, because the first has no surroundings on two sides.
    side = LATENT_PIXELS
    inner = fine[..., side - half : half - side, side - half : half - side]
    rows, columns = inner.shape[2] // side, inner.shape[3] // side
    squares = inner.reshape(len(inner), 3, rows, side, columns, side)
    return squares.mean((0, 2, 4)).square().mean().sqrt()
