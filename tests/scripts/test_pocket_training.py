"""What scripts/train_pocket.py and scripts/evaluate_pocket.py are built from."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import BUNDLED_PHOTOS
from pocket_training import (
    autoencoder,
    captioner,
    data,
    loop,
    metrics,
    painter,
    teacher,
    tokenizers,
)
from pocket_training.latents import Source, encode
from pocket_training.parts import Parts
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from monetize.checkpoints.layout import CAPTIONER, PAINTER
from monetize.checkpoints.resolve import resolve

CAPTIONS = ["a large mountain in the snow", "a sunset over a body of water", "a tall tree"] * 4


def test_a_tenth_is_held_out_whatever_else_there_is() -> None:
    names = [f"{i:010x}.jpg" for i in range(5000)]
    held_out = [name for name in names if data.is_held_out(name)]
    assert 0.08 < len(held_out) / len(names) < 0.12
    assert held_out == [name for name in reversed(names) if data.is_held_out(name)][::-1]


def test_captions_of_photos_that_are_not_there_are_refused(tmp_path: Path) -> None:
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


def line(module: nn.Linear, generator: torch.Generator, _progress: float) -> Tensor:
    """Loss of fitting y = 3x."""
    x = torch.randn(8, 1, generator=generator)
    squares: Tensor = (module(x) - 3 * x).square()
    return squares.mean()


def test_a_resumed_training_is_an_uninterrupted_one(
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


def test_a_loss_that_is_no_number_ends_the_training(tmp_path: Path) -> None:
    plan = loop.Plan(samples=1000, seconds=1e9, batch_size=8, learning_rate=0.1)
    with pytest.raises(FloatingPointError, match="line: the loss is nan at step 20"):
        loop.fit("line", nn.Linear(1, 1), lambda *a: line(*a) * torch.nan, plan, tmp_path, seed=1)


def test_the_stages_fit_together(tmp_path: Path) -> None:
    """A few steps of each stage but the autoencoder's, which needs weights from elsewhere."""
    cpu = torch.device("cpu")
    files = data.list_pictures(BUNDLED_PHOTOS)
    assert len(files) == len(CAPTIONS)
    plan = loop.Plan(samples=8, seconds=1e9, batch_size=4, learning_rate=1e-3)
    parts = Parts.build(CAPTIONS, tmp_path, seed=0)
    parts.captioner = captioner.train(
        parts.captioner, data.load_pictures(files, 128), CAPTIONS, torch.randn(12, 8, 6, 6),
        parts.captioner_tokenizer, plan, tmp_path, device=cpu, seed=0,
    )  # fmt: skip
    latents = encode(parts.autoencoder, data.load_pictures(files, 256), 2, device=cpu, seed=0)
    assert latents.shape == (2 * len(files), autoencoder.LATENT_CHANNELS, 16, 16)
    parts.painter = painter.train(
        parts.painter, [Source(latents, CAPTIONS * 2, 1.0)], parts.painter_tokenizer,
        parts.autoencoder, plan, tmp_path, device=cpu, seed=0, shown=["a tree"],
    )  # fmt: skip
    assert (tmp_path / "painter-samples.png").exists()

    written = parts.save(tmp_path / "out")
    assert written < 25_000_000
    resolve(str(tmp_path / "out" / "captioner"), CAPTIONER)
    resolve(str(tmp_path / "out" / "painter"), PAINTER)
    again = Parts.load(tmp_path / "out")
    for ours, theirs in (
        (again.captioner, parts.captioner),
        (again.autoencoder, parts.autoencoder),
        (again.painter, parts.painter),
    ):
        kept = theirs.state_dict()
        assert all(torch.equal(each, kept[key].float()) for key, each in ours.state_dict().items())
    assert not any(each.requires_grad for each in again.autoencoder.encoder.parameters())


def test_the_teachers_map_follows_the_square_that_the_captioner_sees() -> None:
    places = torch.linspace(-1, 1, 6)
    maps = torch.stack(torch.meshgrid(places, places, indexing="ij")).expand(3, 2, 6, 6)
    boxes = torch.tensor(
        [[[1.0, 0, 0], [0, 1, 0]], [[-1, 0, 0], [0, 1, 0]], [[0.5, 0, -0.5], [0, 0.5, 0.5]]]
    )
    whole, mirrored, corner = captioner.sampled(maps, boxes, 6)
    assert torch.allclose(whole, maps[0], atol=1e-5)
    assert torch.allclose(mirrored, maps[0].flip(2), atol=1e-5)
    assert corner[0].min() > -0.1, "lower half"
    assert corner[1].max() < 0.1, "left half"


def test_principal_maps_are_centred_and_of_one_size() -> None:
    maps = teacher.principal(torch.randn(400, 256, 6, 6).half() + 3, seed=0).float()
    assert maps.shape == (400, teacher.CHANNELS, 6, 6)
    assert maps.mean().abs() < 0.01
    assert maps.square().mean().item() == pytest.approx(1, abs=0.01)


def test_content_words_and_their_f1() -> None:
    assert metrics.content_words("A large body of water, with mountains") == ["water", "mountains"]
    assert metrics.content_f1(["a lake with a boat"], ["a boat on the water"]) == 0.5
    assert metrics.content_f1(["a tree", "a cat"], ["a tree", "a dog"]) == 0.5


def test_warmth_is_red_over_blue() -> None:
    pixels = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
    pixels[:, 0], pixels[:, 2] = 200, 50
    assert metrics.warmth(pixels).tolist() == [150.0]


def test_an_interval_holds_the_mean() -> None:
    mean, low, high = metrics.mean_interval(np.random.default_rng(0).normal(2, 1, 64))
    assert low < mean < high
    assert 0.3 < high - low < 0.7
