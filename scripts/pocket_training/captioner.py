"""The captioner: ViT sees 96 × 96 pixels, GPT-2 says what it sees."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerBase,
    VisionEncoderDecoderModel,
    ViTConfig,
    ViTImageProcessor,
    ViTModel,
)

from pocket_training.data import to_unit
from pocket_training.loop import Plan, autocast, fit
from pocket_training.metrics import content_words

SIZE = 96
PATCH = 12
LENGTH = 20  # tokens, the end included
WIDTH = 192
DROPOUT = 0.1
WORDS = 300  # that the encoder learns to see on its own


def build(tokenizer: PreTrainedTokenizerBase) -> VisionEncoderDecoderModel:
    """An untrained captioner that speaks with this tokenizer."""
    end = tokenizer.eos_token_id
    encoder = ViTModel(
        ViTConfig(
            image_size=SIZE,
            patch_size=PATCH,
            hidden_size=WIDTH,
            intermediate_size=3 * WIDTH,
            num_hidden_layers=4,
            num_attention_heads=6,
            hidden_dropout_prob=DROPOUT,
        ),
        add_pooling_layer=False,
    )
    decoder = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=len(tokenizer),
            n_positions=64,
            n_embd=WIDTH,
            n_inner=3 * WIDTH,
            n_layer=2,
            n_head=6,
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
    return model


class Learner(nn.Module):
    """The captioner, and heads that name words and features from what the encoder sees.

    The heads are for training only: through them the encoder learns to see long before the
    decoder has learnt to look.
    """

    def __init__(self, model: VisionEncoderDecoderModel, features: int) -> None:
        super().__init__()
        self.model = model
        self.words = nn.Linear(WIDTH, WORDS)
        self.features = nn.Linear(WIDTH, features)


def image_processor() -> ViTImageProcessor:
    """What makes the captioner's input of a picture, as in training."""
    return ViTImageProcessor(
        size={"height": SIZE, "width": SIZE}, image_mean=[0.5] * 3, image_std=[0.5] * 3
    )


def train(
    model: VisionEncoderDecoderModel,
    pictures: Tensor,
    captions: Sequence[str],
    features: Tensor,
    tokenizer: PreTrainedTokenizerBase,
    plan: Plan,
    work: Path,
    *,
    device: torch.device,
    seed: int,
) -> VisionEncoderDecoderModel:
    """Train on uint8 pictures (count, 3, 128, 128), a caption for each, and what is seen in it.

    `features` are the teacher's maps of the pictures, (count, channels, rows, columns).
    """
    torch.manual_seed(seed)
    end = tokenizer.eos_token_id
    labels = torch.full((len(captions), LENGTH), -100)
    for row, caption in zip(labels, captions, strict=True):
        tokens = [*tokenizer(caption).input_ids[: LENGTH - 1], end]
        row[: len(tokens)] = torch.tensor(tokens)
    words = _named_words(captions)

    def loss_of(learner: Learner, generator: torch.Generator, _progress: float) -> Tensor:
        chosen = torch.randint(len(captions), (plan.batch_size,), generator=generator)
        boxes = _boxes(len(chosen), generator)
        batch = _varied(pictures[chosen], boxes, generator).to(device)
        goal = labels[chosen].to(device)
        said = goal.roll(1, 1).clamp_min(0)
        said[:, 0] = end
        learner.train()
        with autocast(device):
            output = learner.model(pixel_values=batch, decoder_input_ids=said)
            patches = output.encoder_last_hidden_state[:, 1:]
            named = learner.words(patches.mean(1)).float()
            seen = learner.features(patches).float()
        spoken = functional.cross_entropy(
            output.logits.float().flatten(0, 1), goal.flatten(), ignore_index=-100,
            label_smoothing=0.05,
        )  # fmt: skip
        present = functional.binary_cross_entropy_with_logits(named, words[chosen].to(device))
        # The teacher saw the whole picture: the part of its map that the square shows.
        goals = sampled(features[chosen].float(), boxes, SIZE // PATCH).flatten(2).mT
        return spoken + 20 * present + functional.mse_loss(seen, goals.to(device))

    learner = Learner(model, features.shape[1]).to(device)
    return fit("captioner", learner, loss_of, plan, work, seed=seed).model


def _named_words(captions: Sequence[str]) -> Tensor:
    """Which of the most frequent content words each caption has, (count, WORDS) of 0 and 1."""
    contents = [set(content_words(caption)) for caption in captions]
    frequent = Counter(word for words in contents for word in sorted(words)).most_common(WORDS)
    named = torch.zeros(len(captions), WORDS)
    for row, words in zip(named, contents, strict=True):
        for i, (word, _) in enumerate(frequent):
            row[i] = word in words
    return named


def _boxes(count: int, generator: torch.Generator) -> Tensor:
    """Random squares, mirrored or not, as `torch.nn.functional.affine_grid` takes them."""
    share = 1 - 0.35 * torch.rand(count, generator=generator)
    mirror = 1 - 2.0 * (torch.rand(count, generator=generator) < 0.5)
    shift = (1 - share) * (2 * torch.rand(2, count, generator=generator) - 1)
    boxes = torch.zeros(count, 2, 3)
    boxes[:, 0, 0], boxes[:, 1, 1] = share * mirror, share
    boxes[:, 0, 2], boxes[:, 1, 2] = shift[0], shift[1]
    return boxes


def sampled(values: Tensor, boxes: Tensor, size: int) -> Tensor:
    """The boxes of values (count, channels, height, width) at size × size."""
    count, channels = values.shape[:2]
    grid = functional.affine_grid(boxes, [count, channels, size, size], align_corners=False)
    return functional.grid_sample(values, grid, align_corners=False, padding_mode="reflection")


def _varied(pixels: Tensor, boxes: Tensor, generator: torch.Generator) -> Tensor:
    """The boxes of uint8 pictures at the model's size, lighter or darker, in [-1, 1]."""
    light = 1 + 0.2 * (2 * torch.rand(len(pixels), 1, 1, 1, generator=generator) - 1)
    return (sampled(to_unit(pixels), boxes, SIZE) * light).clamp(-1, 1)
