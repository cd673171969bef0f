"""The captioner: EfficientNet-lite encodes 256 × 256 pixels, GPT-2 describes them.

The encoder's trunk was trained on ImageNet and stays frozen: its features of a few views of each
photo are computed once and kept, so that an epoch of the rest takes seconds.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerBase,
    VisionEncoderDecoderModel,
    ViTImageProcessor,
)
from transformers.modeling_outputs import BaseModelOutput

from monetize.captioning.efficientnet_lite import (
    HEAD_CHANNELS,
    EfficientNetLiteConfig,
    EfficientNetLiteModel,
)
from monetize.settings import CaptionSettings
from pocket_training.backbone import FACTORS, MEAN, SCALE
from pocket_training.data import load_pictures
from pocket_training.loop import Plan, autocast, fit
from pocket_training.metrics import content_words
from pocket_training.rewards import rewarded

SIZE = 256
BACKBONE = 2  # EfficientNet-lite2
LENGTH = 20  # tokens, the end included
WIDTH = 256
WORDS = 400  # that the encoder learns to name by itself
SPOKEN_STILL = 0.1  # weight of the caption loss while naming is rewarded
SEEN_AT_ONCE = 32
SAMPLED = 3000  # features, for their mean and std
DROPOUT = 0.15
# Of the features of places and of the whole: the 1,280 numbers would otherwise be memorized.
PLACES_DROPOUT, WHOLE_DROPOUT = 0.3, 0.5


def build(tokenizer: PreTrainedTokenizerBase) -> VisionEncoderDecoderModel:
    """An untrained captioner that uses this tokenizer."""
    end = tokenizer.eos_token_id
    width_factor, depth_factor = FACTORS[BACKBONE]
    encoder = EfficientNetLiteModel(
        EfficientNetLiteConfig(
            hidden_size=WIDTH,
            image_size=SIZE,
            width_factor=width_factor,
            depth_factor=depth_factor,
        )
    )
    decoder = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=len(tokenizer),
            n_positions=64,
            n_embd=WIDTH,
            n_inner=3 * WIDTH,
            n_layer=2,
            n_head=8,
            add_cross_attention=True,
            is_decoder=True,
            bos_token_id=end,
            eos_token_id=end,
            resid_pdrop=DROPOUT,
            embd_pdrop=DROPOUT,
        )
    )
    model = VisionEncoderDecoderModel(encoder=encoder, decoder=decoder)
    for config in (model.config, model.generation_config):
        config.decoder_start_token_id = config.eos_token_id = config.pad_token_id = end
    # The likeliest caption as a whole: per token, longer ones win and name more that is not there.
    model.generation_config.update(num_beams=CaptionSettings.num_beams, length_penalty=0.0)
    return model


def image_processor() -> ViTImageProcessor:
    """The processor that turns a picture into the captioner's input, as in training."""
    return ViTImageProcessor(
        size={"height": SIZE, "width": SIZE}, image_mean=[MEAN] * 3, image_std=[SCALE] * 3
    )


@dataclass(frozen=True)
class Seen:
    """The trunk's features: of whole pictures (count, 1280), of places (count, 64, channels).

    Half floats, view by view: row i + n · count is another view of picture i.
    """

    whole: Tensor
    places: Tensor


def see(
    model: VisionEncoderDecoderModel,
    paths: Sequence[Path],
    views: int,
    kept: Path,
    *,
    device: torch.device,
    seed: int,
) -> Seen:
    """The trunk's features of pictures: whole, mirrored, then of random squares.

    They are kept in a file; `views` is the number of views of each picture.
    """
    if not kept.exists():
        encoder = model.encoder.to(device, memory_format=torch.channels_last).eval()
        generator = torch.Generator().manual_seed(seed)
        pictures = load_pictures(paths, SIZE)
        whole, places = [], []
        for view in tqdm(range(views), desc="views of photos", unit="view"):
            for batch in torch.split(pictures, SEEN_AT_ONCE):
                pixel_values = _view(batch, view, generator).to(device)
                with torch.inference_mode(), autocast(device):
                    each = encoder.features(encoder.trunk.maps(pixel_values)[-1])
                whole.append(each[0].half().cpu())
                places.append(each[1].half().cpu())
        torch.save({"whole": torch.cat(whole), "places": torch.cat(places)}, f"{kept}.partial")
        Path(f"{kept}.partial").replace(kept)
    seen = Seen(**torch.load(kept, weights_only=True, mmap=True))
    if len(seen.whole) != views * len(paths):
        raise ValueError(f"{kept} is not of {views} views of these pictures: remove it")
    return seen


class Learner(nn.Module):
    """The captioner on the features of its trunk, and a head that names words.

    The head is for training only: through it the encoder learns to recognize what is there long
    before the decoder has learned to attend. Both get the features with mean 0 and std 1.
    """

    def __init__(self, model: VisionEncoderDecoderModel, seen: Seen, words: Tensor) -> None:
        super().__init__()
        self.model = model
        model.encoder.trunk.requires_grad_(False)
        self.words = nn.Linear(HEAD_CHANNELS, words.shape[1])
        nn.init.zeros_(self.words.weight)
        self.words.bias.data = words.mean(0).clamp(1e-4, 1 - 1e-4).logit()
        some = torch.randperm(len(seen.whole))[:SAMPLED]
        for name, values in (("whole", seen.whole[some]), ("places", seen.places[some])):
            flat = values.float().flatten(0, -2)
            self.register_buffer(f"{name}_mean", flat.mean(0))
            self.register_buffer(f"{name}_std", flat.std(0) + 1e-3)

    def project(self, seen: Seen, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """The decoder's input for the chosen pictures, and the scores of the words."""
        device = self.words.weight.device
        whole = self._standard("whole", seen.whole[chosen].to(device).float())
        places = self._standard("places", seen.places[chosen].to(device).float())
        whole = functional.dropout(whole, WHOLE_DROPOUT, self.training)
        places = functional.dropout(places, PLACES_DROPOUT, self.training)
        return self.model.encoder.project(whole, places), self.words(whole)

    def _standard(self, name: str, values: Tensor) -> Tensor:
        return (values - self.get_buffer(f"{name}_mean")) / self.get_buffer(f"{name}_std")

    def finished(self) -> VisionEncoderDecoderModel:
        """The captioner for raw features of the trunk: means and stds become weights."""
        for name in ("whole", "places"):
            linear = getattr(self.model.encoder, name)
            weight = linear.weight.data / self.get_buffer(f"{name}_std")
            linear.bias.data -= weight @ self.get_buffer(f"{name}_mean")
            linear.weight.data = weight
        return self.model


def train(
    model: VisionEncoderDecoderModel, seen: Seen, captions: Sequence[str],
    tokenizer: PreTrainedTokenizerBase, plan: Plan, rewards_plan: Plan, work: Path, *,
    device: torch.device, seed: int,
) -> VisionEncoderDecoderModel:  # fmt: skip
    """Train everything but the trunk, on its features of pictures and a caption for each.

    First it learns to say what the captions say (`plan`), then to name what is there
    (`rewards_plan`).
    """
    torch.manual_seed(seed)
    labels = _labels(captions, tokenizer)
    words = _named_words(captions)

    def loss_of(learner: Learner, generator: torch.Generator, _progress: float) -> Tensor:
        chosen = torch.randint(len(seen.whole), (plan.batch_size,), generator=generator)
        picture = chosen % len(captions)
        learner.train()
        with autocast(device):
            hidden, named = learner.project(seen, chosen)
            spoken = _spoken(learner, hidden, labels[picture].to(device))
        present = functional.binary_cross_entropy_with_logits(
            named.float(), words[picture].to(device)
        )
        return spoken + 20 * present

    def reward_of(learner: Learner, generator: torch.Generator, _progress: float) -> Tensor:
        chosen = torch.randint(len(seen.whole), (rewards_plan.batch_size,), generator=generator)
        picture = chosen % len(captions)
        learner.eval()  # dropout would judge the captions of a part of it
        truth = [captions[i] for i in picture.tolist()]
        decoder: GPT2LMHeadModel = learner.model.decoder
        with autocast(device):
            hidden, _ = learner.project(seen, chosen)
            named = rewarded(decoder, hidden, truth, tokenizer, LENGTH, generator)
            # With some of the caption loss, or its sentences would become lists of words.
            return named + SPOKEN_STILL * _spoken(learner, hidden, labels[picture].to(device))

    learner = Learner(model, seen, words).to(device)
    learner = fit("captioner", learner, loss_of, plan, work, seed=seed)
    learner.requires_grad_(True).model.encoder.trunk.requires_grad_(False)
    return fit("rewards", learner, reward_of, rewards_plan, work, seed=seed).finished()


def _spoken(learner: Learner, hidden: Tensor, labels: Tensor) -> Tensor:
    """How unlikely the captioner finds captions, given the hidden states of their pictures."""
    labels = labels[:, : int((labels >= 0).sum(1).max())]  # without what is padding in all rows
    shifted = labels.roll(1, 1).clamp_min(0)
    shifted[:, 0] = learner.model.config.decoder_start_token_id
    logits = learner.model(
        encoder_outputs=BaseModelOutput(hidden), decoder_input_ids=shifted
    ).logits
    return functional.cross_entropy(
        logits.float().flatten(0, 1), labels.flatten(), ignore_index=-100, label_smoothing=0.05
    )


def _labels(captions: Sequence[str], tokenizer: PreTrainedTokenizerBase) -> Tensor:
    """Token ids (count, LENGTH) with the end token, and -100 after it."""
    labels = torch.full((len(captions), LENGTH), -100)
    for row, caption in zip(labels, captions, strict=True):
        tokens = [*tokenizer(caption).input_ids[: LENGTH - 1], tokenizer.eos_token_id]
        row[: len(tokens)] = torch.tensor(tokens)
    return labels


def _named_words(captions: Sequence[str]) -> Tensor:
    """Which of the most frequent content words each caption has: 0 or 1, (count, WORDS)."""
    contents = [set(content_words(caption)) for caption in captions]
    frequent = Counter(word for words in contents for word in sorted(words)).most_common(WORDS)
    named = torch.zeros(len(captions), WORDS)
    for row, words in zip(named, contents, strict=True):
        for i, (word, _) in enumerate(frequent):
            row[i] = word in words
    return named


def _view(pictures: Tensor, view: int, generator: torch.Generator) -> Tensor:
    """A view of uint8 pictures in the network's format: the first whole, the second mirrored."""
    count = len(pictures)
    share = 1 - 0.35 * torch.rand(count, generator=generator)
    mirror = 1 - 2.0 * (torch.rand(count, generator=generator) < 0.5)
    shift = (1 - share) * (2 * torch.rand(2, count, generator=generator) - 1)
    light = 1 + 0.2 * (2 * torch.rand(count, 1, 1, 1, generator=generator) - 1)
    pixels = pictures.float() / 255
    if view < 2:
        pixels = pixels.flip(3) if view else pixels
    else:
        boxes = torch.zeros(count, 2, 3)
        boxes[:, 0, 0], boxes[:, 1, 1] = share * mirror, share
        boxes[:, 0, 2], boxes[:, 1, 2] = shift[0], shift[1]
        grid = functional.affine_grid(boxes, list(pixels.shape), align_corners=False)
        pixels = functional.grid_sample(pixels, grid, align_corners=False)
        pixels = (pixels * light).clamp(0, 1)
    return ((pixels - MEAN) / SCALE).contiguous(memory_format=torch.channels_last)
