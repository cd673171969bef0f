"""Where words acted: the maps are right, and nothing else changes."""

from collections.abc import Callable

import pytest
import torch
from explicit_attention import ExplicitAttention
from helpers import Tiny, denoise, requests
from torch.nn.functional import interpolate

from monetize.checkpoints.layout import PAINTER
from monetize.checkpoints.resolve import resolve
from monetize.checkpoints.tokenizer import load_tokenizer
from monetize.painting.attention.recorder import AttentionRecorder, of_words
from monetize.painting.attention.token_weights import TokenWeights
from monetize.painting.painter import Painter
from monetize.painting.painting import Painting
from monetize.prompts.prompt import Prompt
from monetize.prompts.tokens import word_positions
from monetize.prompts.weights import parse_weight

Load = Callable[..., Painter]
TEXT = "a pine tree and a red sun"
PLAIN = Prompt(TEXT)


class KeepingAttention(ExplicitAttention):
    """Keeps the maps of cross-attention as DAAM does."""

    def __init__(self, rows: int, size: tuple[int, int]) -> None:
        self.rows, self.size = rows, size
        self.kept: list[torch.Tensor] = []

    def cross(self, probabilities: torch.Tensor, heads: int) -> torch.Tensor:
        pixels, positions = probabilities.shape[1:]
        of_rows = probabilities.view(-1, heads, pixels, positions)[-self.rows :].mean(dim=1)
        shrink = round((self.size[0] * self.size[1] / pixels) ** 0.5)
        height, width = (side // shrink for side in self.size)
        small = of_rows.mT.reshape(-1, positions, height, width)
        self.kept.append(interpolate(small, self.size, mode="bicubic").clamp(min=0))
        return probabilities


def paint(painter: Painter, *prompts: Prompt, seed: int = 3) -> list[Painting]:
    seeds = [seed + i for i in range(len(prompts))]
    return painter.start(requests(painter, prompts, seeds), heat=True).result()


def heat(painting: Painting) -> torch.Tensor:
    assert painting.heat is not None
    return painting.heat


def hooks(painter: Painter) -> int:
    modules = painter.pipeline.unet.modules()
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in modules)


@pytest.mark.parametrize("settings", [{}, {"guidance_scale": 1.0}, {"guidance_end": 0.5}])
def test_the_maps_are_those_of_explicit_attention(
    painter_with: Load, settings: dict[str, float]
) -> None:
    painter = painter_with(**settings)
    prompts = [PLAIN, Prompt("a lake")]
    painted = paint(painter, *prompts)
    explicit = KeepingAttention(len(prompts), (8, 8))
    painter.pipeline.unet.set_attn_processor(explicit)
    denoise(painter, prompts, [3, 4])
    maps = torch.stack(explicit.kept).mean(dim=0)
    assert maps.shape == (2, 77, 8, 8)
    for painting, theirs in zip(painted, maps, strict=True):
        assert torch.allclose(heat(painting), theirs, rtol=0, atol=1e-5)
    assert heat(painted[0]).sum(dim=0).mean() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("slicing", [False, True])
def test_the_image_is_bit_identical_and_no_hook_stays(painter_with: Load, slicing: bool) -> None:
    painter = painter_with()
    if slicing:
        painter.pipeline.enable_attention_slicing()
    prompt = Prompt(TEXT, (parse_weight("pine=-2"),))
    before = hooks(painter)
    plain = painter.paint(requests(painter, [prompt], [3]))[0]
    recorded = paint(painter, prompt)[0]
    assert plain.image.tobytes() == recorded.image.tobytes()
    assert plain.heat is None
    assert hooks(painter) == before


def test_hooks_are_removed_when_painting_fails(
    painter_with: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = painter_with()
    before = hooks(painter)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        painter.start(requests(painter, [PLAIN], [3]), on_step=fail, heat=True)
    assert hooks(painter) == before


@torch.inference_mode()
def test_what_acts_is_weight_times_attention(painter_with: Load) -> None:
    """On one evaluation of the unet's first layer, which no weight has changed yet."""
    unet = painter_with().pipeline.unet
    generator = torch.Generator().manual_seed(0)
    text = torch.randn(2, 77, 32, generator=generator)
    # Odd and not square: the layers round up.
    noise = torch.randn(2, 4, 7, 10, generator=generator)
    weighting = TokenWeights(unet)
    attention = unet.down_blocks[0].attentions[0].transformer_blocks[0].attn2

    def record(*values: float) -> torch.Tensor:
        weighting.factors = torch.ones(2, 77, 1)
        weighting.factors[1, 1 : 1 + len(values), 0] = torch.tensor(values)
        with AttentionRecorder(unet, weighting, 1, (7, 10)) as recorder:
            states = torch.randn(2, 70, 16, generator=torch.Generator().manual_seed(1))
            attention(states, encoder_hidden_states=text)
        one_layer = recorder.maps()
        with AttentionRecorder(unet, weighting, 1, (7, 10)) as recorder:
            unet(noise, 10, encoder_hidden_states=text)
        assert recorder.maps().shape == (1, 77, 7, 10)
        return one_layer[0]

    plain, weighted = record(), record(2, 0, -1)
    assert torch.equal(weighted[1], 2 * plain[1])
    assert torch.equal(weighted[2], torch.zeros(7, 10))
    assert torch.equal(weighted[3], -plain[3])
    assert torch.equal(weighted[4:], plain[4:])


def test_a_muted_word_acts_nowhere_but_on_the_steps_without_weights(painter_with: Load) -> None:
    muted = Prompt(TEXT, (parse_weight("pine=0"),))
    assert heat(paint(painter_with(), muted)[0])[2].abs().max() == 0
    late = heat(paint(painter_with(weight_start=0.5), muted)[0])
    whole = heat(paint(painter_with(), PLAIN)[0])
    assert 0 < late[2].max() < whole[2].max()


def test_a_words_map_is_the_mean_of_its_pieces(tiny: Tiny) -> None:
    tokenizer = load_tokenizer(resolve(str(tiny.painter), PAINTER))
    prompt = Prompt("Pine, monetize a pine", (parse_weight("@0=2"), parse_weight("@3=2")))
    positions = word_positions(tokenizer, prompt)
    assert positions == {"Pine": (1, 6), "monetize": (3, 4), "a": (5,), "@0": (0,)}
    maps = torch.arange(77.0)[:, None, None].expand(77, 2, 2)
    means = {word: float(map_[0, 0]) for word, map_ in of_words(maps, positions).items()}
    assert means == {"Pine": 3.5, "monetize": 3.5, "a": 5, "@0": 0}
    assert word_positions(tokenizer, Prompt("pine " * 80 + "sun")) == {"pine": tuple(range(1, 76))}
