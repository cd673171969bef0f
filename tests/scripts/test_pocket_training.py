"""The parts of scripts/train_pocket.py and scripts/evaluate_pocket.py."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DPMSolverMultistepScheduler
from helpers import BUNDLED_PHOTOS
from pocket_training import (
    autoencoder,
    backbone,
    captioner,
    data,
    decoder,
    loop,
    metrics,
    painter,
    rewards,
    tokenizers,
)
from pocket_training.latents import Source, encode
from pocket_training.parts import Parts
from pocket_training.weight_lessons import WeightLessons
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_

from monetize.captioning.efficientnet_lite import Trunk
from monetize.checkpoints.known_words import unknown_words
from monetize.checkpoints.layout import CAPTIONER, PAINTER
from monetize.checkpoints.resolve import resolve
from monetize.scoring.metrics import squared_mmd

CAPTIONS = ["a large mountain in the snow", "a sunset over a body of water", "a tall tree"] * 4


def test_a_tenth_is_held_out_whatever_else_there_is() -> None:
    names = [f"{i:010x}.jpg" for i in range(5000)]
    held_out = [name for name in names if data.is_held_out(name)]
    assert 0.08 < len(held_out) / len(names) < 0.12
    assert held_out == [name for name in reversed(names) if data.is_held_out(name)][::-1]


def test_captions_of_missing_photos_are_refused(tmp_path: Path) -> None:
    (tmp_path / "captions.csv").write_text("photo,caption\nnowhere.jpg,a tree\n")
    with pytest.raises(ValueError, match=r"names nowhere\.jpg, which is not in"):
        data.read_photos(tmp_path, tmp_path / "captions.csv")


def test_bytes_come_back_from_floats() -> None:
    pixels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    assert torch.equal(data.to_bytes(data.to_unit(pixels)), pixels)


def test_known_words_are_one_token_and_others_are_spelled(tmp_path: Path) -> None:
    from make_tiny_checkpoints import write_clip_tokenizer

    write_clip_tokenizer(tmp_path / "clip")
    tokenizer = tokenizers.train_clip_tokenizer(
        tmp_path / "clip", [text + data.STYLE for text in CAPTIONS], tmp_path / "tokenizer"
    )
    assert tokenizer.tokenize("a tall mountain") == ["a</w>", "tall</w>", "mountain</w>"]
    spelled = tokenizer.tokenize("zürich 🎨")
    assert len(spelled) > 5
    assert tokenizer.unk_token not in spelled
    assert tokenizer.model_max_length == tokenizers.PAINTER_LENGTH


def test_weights_of_0_and_less_are_learned_from_words_of_other_prompts(tmp_path: Path) -> None:
    from make_tiny_checkpoints import write_clip_tokenizer

    write_clip_tokenizer(tmp_path / "clip")
    tokenizer = tokenizers.train_clip_tokenizer(tmp_path / "clip", CAPTIONS, tmp_path / "tokenizer")
    prompts = tokenizer(CAPTIONS * 25, padding="max_length", return_tensors="pt").input_ids
    lessons = WeightLessons(tokenizer, CAPTIONS)
    drawn, weights = lessons.draw(prompts, torch.Generator().manual_seed(0))
    assert drawn.shape == prompts.shape
    assert weights.shape == (*prompts.shape, 1)
    added_negative, added_muted, own_muted = 0, 0, 0
    for before, after, weight in zip(prompts.tolist(), drawn.tolist(), weights, strict=True):
        positions = (weight != 1).nonzero()[:, 0].tolist()
        if not positions:
            assert after == before
            continue
        (at,) = positions
        word, value = after[at], weight[at].item()
        assert tokenizer.decode([word]).strip() in {"mountain", "snow", "sunset", "water", "tree",
                                                    "tall", "body"}  # fmt: skip
        if after == before:
            assert value == 0
            own_muted += 1
        else:
            assert word not in before
            assert [*after[:at], *after[at + 1 :]] == before[:-1]
            assert at <= before.index(tokenizer.eos_token_id)
            assert -1 <= value <= 0
            added_negative += value < 0
            added_muted += value == 0
    assert added_negative > added_muted > own_muted > 0


def test_only_noise_is_left_at_the_end_and_halfway_as_much_as_in_stable_diffusion() -> None:
    signal = painter.scheduler().alphas_cumprod
    stable_diffusion = DPMSolverMultistepScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"
    ).alphas_cumprod
    assert signal[-1] < 1e-4 < stable_diffusion[-1]
    assert abs(signal[500] - stable_diffusion[500]) < 0.03


def line(module: nn.Linear, generator: torch.Generator, _progress: float) -> Tensor:
    """Loss of fitting y = 3x."""
    x = torch.randn(8, 1, generator=generator)
    squares: Tensor = (module(x) - 3 * x).square()
    return squares.mean()


def test_a_resumed_training_equals_an_uninterrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fit(work: Path) -> Tensor:
        work.mkdir(exist_ok=True)
        torch.manual_seed(0)
        plan = loop.Plan(
            samples=8 * 60, seconds=1e9, batch_size=8, learning_rate=0.2, average=0.9, warmup=5
        )
        fitted = loop.fit("line", nn.Linear(1, 1), line, plan, work, seed=1)
        return fitted.weight.clone()

    whole = fit(tmp_path / "whole")
    assert abs(whole.item() - 3) < 0.5
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", -1.0)
    calls = 0

    def cut_off(*args: Any) -> object:
        nonlocal calls
        calls += 1
        if calls == 25:
            raise KeyboardInterrupt
        return clip_grad_norm_(*args)

    monkeypatch.setattr(nn.utils, "clip_grad_norm_", cut_off)
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "cut")
    assert torch.equal(fit(tmp_path / "cut"), whole)
    log = [json.loads(each) for each in (tmp_path / "cut" / "log.jsonl").read_text().splitlines()]
    assert log[-1]["done"]
    assert log[-1]["samples"] == 480


def test_a_loss_that_is_not_a_number_ends_the_training(tmp_path: Path) -> None:
    plan = loop.Plan(samples=1000, seconds=1e9, batch_size=8, learning_rate=0.1)
    with pytest.raises(FloatingPointError, match="line: the loss is nan at step 20"):
        loop.fit("line", nn.Linear(1, 1), lambda *a: line(*a) * torch.nan, plan, tmp_path, seed=1)


def test_the_stages_fit_together(tmp_path: Path) -> None:
    """A few steps of each stage but the decoder's, which needs weights from elsewhere."""
    cpu = torch.device("cpu")
    files = data.list_pictures(BUNDLED_PHOTOS)
    assert len(files) == len(CAPTIONS)
    plan = loop.Plan(samples=8, seconds=1e9, batch_size=4, learning_rate=1e-3)
    parts = Parts.build(CAPTIONS, tmp_path, seed=0)
    seen = captioner.see(parts.captioner, files, 3, tmp_path / "seen.pt", device=cpu, seed=0)
    parts.captioner = captioner.train(
        parts.captioner, seen, CAPTIONS, parts.captioner_tokenizer, plan, plan,
        tmp_path, device=cpu, seed=0,
    )  # fmt: skip
    parts.autoencoder = decoder.widen(parts.autoencoder)
    latents = encode(parts.autoencoder, data.load_pictures(files, 256), 2, device=cpu, seed=0)
    assert latents.shape == (2 * len(files), autoencoder.LATENT_CHANNELS, 16, 16)
    parts.painter = painter.train(
        parts.painter, [Source(latents, CAPTIONS * 2, 1.0)], parts.painter_tokenizer,
        parts.autoencoder, plan, tmp_path, device=cpu, seed=0, shown=["a tree"],
    )  # fmt: skip
    assert (tmp_path / "painter-samples.png").exists()

    written = parts.save(tmp_path / "out", CAPTIONS * 2)
    assert written < 40_000_000
    resolve(str(tmp_path / "out" / "captioner"), CAPTIONER)
    written_painter = resolve(str(tmp_path / "out" / "painter"), PAINTER)
    assert unknown_words(written_painter, ["a tall pine in monet style painting"]) == ["pine"]
    again = Parts.load(tmp_path / "out")
    for ours, theirs in (
        (again.captioner, parts.captioner),
        (again.autoencoder, parts.autoencoder),
        (again.painter, parts.painter),
    ):
        kept = theirs.state_dict()
        assert all(torch.equal(each, kept[key].float()) for key, each in ours.state_dict().items())
    assert not any(each.requires_grad for each in again.autoencoder.encoder.parameters())


def test_a_widened_encoder_gives_the_latents_of_the_smaller_one(tmp_path: Path) -> None:
    torch.manual_seed(0)
    small = autoencoder.build().requires_grad_(False)
    pictures = data.load_pictures(data.list_pictures(BUNDLED_PHOTOS), 256)
    plan = loop.Plan(samples=2, seconds=1e9, batch_size=2, learning_rate=1e-6)
    large = decoder.train_encoder(
        decoder.widen(small), small, [pictures], plan, tmp_path, device=torch.device("cpu"), seed=0
    )
    with torch.inference_mode():
        goals = small.encoder(decoder.halved(data.to_unit(pictures)))
        latents = large.encoder(data.to_unit(pictures))
        assert large.decoder(latents).shape == pictures.shape
    assert (latents - goals).square().mean() < 0.02 * goals.var()


def test_a_crop_is_painted_as_it_is_in_the_whole() -> None:
    torch.manual_seed(0)
    large = decoder.widen(autoencoder.build()).requires_grad_(False)
    latents = torch.randn(2, autoencoder.LATENT_CHANNELS, 16, 16)
    corners = [(0, 32), (7, 20)]
    whole, crops = large.decoder(latents), decoder.decoded_crops(large.decoder, latents, corners)
    for picture, crop, (top, left) in zip(whole, crops, corners, strict=True):
        scale = decoder.SIZE // decoder.MAP
        goal = picture[:, scale * top :, scale * left :][:, : decoder.CROP, : decoder.CROP]
        # Inside the picture, the crop does not see what is beyond its margin.
        rows = slice(16 if top else 0, -16)
        columns = slice(16, -16 if left < decoder.MAP // 2 else None)
        assert torch.allclose(crop[:, rows, columns], goal[:, rows, columns], atol=0.02)


def test_a_weave_is_a_pattern_that_every_latent_repeats() -> None:
    torch.manual_seed(0)
    clouds = functional.interpolate(torch.rand(8, 3, 9, 9), 128, mode="bicubic")
    strokes = 0.1 * torch.randn(8, 3, 128, 128)
    knots = torch.zeros(16, 16)
    knots[:4, :4] = 0.1
    woven = clouds + strokes + knots.repeat(8, 8)
    assert decoder.weave(clouds + strokes) < 0.015 < 0.02 < decoder.weave(woven)


def test_batch_normalization_is_folded_into_the_weights(tmp_path: Path) -> None:
    names = {
        f"{norm}.{name}": torch.rand(layer.conv.out_channels) + 0.5
        for layer, _, norm in backbone.layers(Trunk(1.0, 1.0))
        for name in ("weight", "bias", "running_mean", "running_var")
    }
    kernels = {
        f"{convolution}.weight": torch.randn(layer.conv.weight.shape)
        for layer, convolution, _ in backbone.layers(Trunk(1.0, 1.0))
    }
    torch.save(names | kernels, tmp_path / "lite0.pth")
    stem = backbone.load_trunk(tmp_path / "lite0.pth").stem
    x = torch.randn(1, 3, 32, 32)
    convolved = functional.conv2d(
        functional.pad(x, (0, 1, 0, 1)), kernels["_conv_stem.weight"], stride=2
    )
    expected = functional.batch_norm(
        convolved,
        names["_bn0.running_mean"],
        names["_bn0.running_var"],
        names["_bn0.weight"],
        names["_bn0.bias"],
        eps=backbone.EPSILON,
    )
    assert torch.allclose(stem(x), expected, atol=1e-5)


def test_content_words_and_their_f1() -> None:
    assert metrics.content_words("A large body of water, with mountains") == ["water", "mountains"]
    assert metrics.content_f1(["a lake with a boat"], ["a boat on the water"]) == [0.5]
    assert metrics.content_f1(["a tree", "a cat"], ["a tree", "a dog"]).tolist() == [1, 0]


def test_warmth_is_red_over_blue() -> None:
    pixels = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
    pixels[:, 0], pixels[:, 2] = 200, 50
    assert metrics.warmth(pixels).tolist() == [150.0]


def test_an_interval_contains_the_mean() -> None:
    mean, low, high = metrics.mean_interval(np.random.default_rng(0).normal(2, 1, 64))
    assert low < mean < high
    assert 0.3 < high - low < 0.7


def test_the_interval_of_a_distance_contains_it() -> None:
    random = np.random.default_rng(0)
    near, far, reference = (random.normal(mean, 1, (60, 16)) for mean in (0, 1, 0))
    distance, low, high = metrics.kernel_distance_interval(far, reference)
    assert distance == pytest.approx(squared_mmd(far, reference))
    assert low < distance < high
    assert low > metrics.kernel_distance_interval(near, reference)[2]


def test_the_variance_is_attributed_to_what_was_varied() -> None:
    random = np.random.default_rng(0)
    by_prompt, by_seed = random.normal(size=(6, 1, 9)), random.normal(size=(1, 6, 9))
    shares = metrics.variance_shares(2 * by_prompt + by_seed)
    assert shares["prompt"] > 2 * shares["seed"]
    assert shares["both"] < 1e-9
    assert sum(shares.values()) == pytest.approx(1)


def test_a_painting_that_keeps_its_photo_is_recognized() -> None:
    photos = np.random.default_rng(0).normal(size=(20, 8))
    assert metrics.own_among_nearest(photos, photos, 1).mean() == 1
    assert metrics.own_among_nearest(-photos, photos, 5).mean() < 0.3


def test_the_caption_that_names_what_is_there_becomes_likelier(tmp_path: Path) -> None:
    torch.manual_seed(0)
    tokenizer = tokenizers.train_gpt2_tokenizer(["a tree", "a boat"] * 9, tmp_path)
    model = captioner.build(tokenizer)
    hidden = torch.zeros(8, 3, captioner.WIDTH)
    decoder, generator = model.decoder.eval(), torch.Generator().manual_seed(0)
    start = torch.full((1, 1), tokenizer.eos_token_id)

    @torch.no_grad()
    def chance(word: str) -> float:
        logits = decoder(input_ids=start, encoder_hidden_states=hidden[:1]).logits[0, 0]
        return float(logits.softmax(0)[tokenizer(word).input_ids[0]])

    before = chance("boat")
    optimizer = torch.optim.Adam(decoder.parameters(), 1e-3)
    for _ in range(12):
        loss = rewards.rewarded(decoder, hidden, ["a boat"] * 8, tokenizer, 3, generator)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert chance("boat") > 2 * before
