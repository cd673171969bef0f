"""Edited latents equal those of explicit attention maps that are replaced step by step."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch
from explicit_attention import ExplicitAttention
from helpers import denoise
from torch.nn.functional import interpolate, max_pool2d

from monetize.painting.attention.layers import cross_attention_layers
from monetize.painting.editing import edited_request
from monetize.painting.painter import Painter
from monetize.painting.request import PaintRequest
from monetize.prompts.prompt import Prompt
from monetize.prompts.weights import parse_weight
from monetize.settings import EditSettings

Load = Callable[..., Painter]
BASE = "a pine tree and a red sun"
START, PADDING = 0, range(8, 77)


def places(*blocks: tuple[int, int, int], spread: tuple[int, range] | None = None) -> torch.Tensor:
    """Shares (base, edited) by hand: blocks of (base position, edited position, length).

    The two base positions of `spread` are spread evenly over a range.
    """
    matrix = torch.zeros(77, 77)
    for base, edited, length in blocks:
        matrix[range(base, base + length), range(edited, edited + length)] = 1
    if spread is not None:
        base, over = spread
        matrix[base : base + 2, over] = 1 / len(over)
    return matrix


@dataclass
class EditedAttention(ExplicitAttention):
    """Prompt-to-prompt by its definition; the last two rows are the base's and the edited one's.

    `added` are edited positions with attention of their own. `only` are the positions of words in
    either prompt.
    """

    shares: torch.Tensor
    added: list[int]
    weights: torch.Tensor
    word_steps: int
    layout_steps: int
    layout_pixels: int = 16**2
    only: tuple[list[int], list[int]] = ((), ())  # type: ignore[assignment]
    step: int = 0
    acted: list[torch.Tensor] = field(default_factory=list)

    def own(self, probabilities: torch.Tensor, heads: int) -> torch.Tensor:
        rows = probabilities.reshape(-1, heads, *probabilities.shape[1:]).clone()
        if self.step < self.layout_steps and rows.shape[2] <= self.layout_pixels:
            rows[-1] = rows[-2]
        return rows.reshape(probabilities.shape)

    def cross(self, probabilities: torch.Tensor, heads: int) -> torch.Tensor:
        rows = probabilities.reshape(-1, heads, *probabilities.shape[1:]).clone()
        if self.step < self.word_steps:
            replaced = rows[-2] @ self.shares
            replaced[..., self.added] = rows[-1][..., self.added]
            rows[-1] = replaced
        if any(self.only) and rows.shape[2] == 64:  # of the tiny UNet, nearest to 16 × 16
            both = zip(rows[-2:], self.only, strict=True)
            maps = [row[..., words].sum(dim=-1).mean(dim=0) for row, words in both]
            self.acted.append(torch.stack(maps))
        rows[-1] = rows[-1] * self.weights
        return rows.reshape(probabilities.shape)

    def finish_step(
        self, pipeline: Any, i: int, _timestep: Any, tensors: dict[str, Any]
    ) -> dict[str, Any]:
        """The callback of diffusers' pipeline."""
        self.step = i + 1
        latents = tensors["latents"]
        if any(self.only) and i / len(pipeline.scheduler.timesteps) >= 0.2:
            maps = torch.stack(self.acted).mean(dim=0).reshape(2, 1, 8, 8)
            maps = max_pool2d(maps, 3, stride=1, padding=1)
            mask = (maps > 0.3 * maps.amax(dim=(2, 3), keepdim=True)).any(dim=0)
            mask = interpolate(mask[None].float(), latents.shape[-2:])[0] > 0
            latents[1] = torch.where(mask, latents[1], latents[0])
        return {"latents": latents}


def explicit_latents(
    painter: Painter, edited: str, explicit: EditedAttention, seed: int
) -> torch.Tensor:
    """The base's and the edited latents by diffusers' own pipeline."""
    pipeline = painter.pipeline
    fused = pipeline.unet.attn_processors
    pipeline.unet.set_attn_processor(explicit)
    latents: torch.Tensor = pipeline(
        prompt=[BASE, edited],
        num_inference_steps=painter.settings.num_inference_steps,
        guidance_scale=painter.settings.guidance_scale,
        generator=[torch.Generator().manual_seed(seed) for _ in range(2)],
        callback_on_step_end=explicit.finish_step,
        output_type="latent",
    ).images
    pipeline.unet.set_attn_processor(fused)
    return latents


def pair(
    painter: Painter,
    edited: str,
    *weights: str,
    seed: int = 3,
    base: str = BASE,
    **settings: Any,
) -> list[PaintRequest]:
    """The requests of a base and of its edit."""
    request = painter.request(Prompt(base), seed)
    prompt = Prompt(edited, tuple(map(parse_weight, weights)))
    tokenizer = painter.pipeline.tokenizer
    return [request, edited_request(tokenizer, request, prompt, EditSettings(**settings))]


def close(some: torch.Tensor, others: torch.Tensor, atol: float = 1e-4) -> bool:
    return torch.allclose(some, others, rtol=0, atol=atol)


CASES: dict[str, tuple[str, torch.Tensor, list[int]]] = {
    "swap words": ("an oak tree and a blue sun", places((0, 0, 77)), []),
    "swap two words for three": (
        "a pine tree and a big golden star",
        places((0, 0, 6), (8, 9, 68), (76, 76, 1), spread=(6, range(6, 9))),
        [],
    ),
    "swap two words for one": (
        "a pine tree and a star",
        places((0, 0, 6), (8, 7, 69), spread=(6, range(6, 7))),
        [],
    ),
    "add words": (
        "a tall pine tree and a very red sun",
        places((0, 0, 2), (2, 3, 4), (6, 8, 69), (75, 76, 1), (76, 76, 1)),
        [2, 7],
    ),
    "remove words": ("a pine tree", places((0, 0, 4), (8, 4, 69)), []),
    "reweight": (BASE, places((0, 0, 77)), []),
}


@pytest.mark.parametrize("guidance_scale", [7.5, 1.0])
@pytest.mark.parametrize("weights", [(), ("tree=-2", "a=1.5")])
@pytest.mark.parametrize("case", CASES)
def test_edited_latents_are_those_of_replaced_maps(
    painter_with: Load, case: str, weights: tuple[str, ...], guidance_scale: float
) -> None:
    edited, shares, added = CASES[case]
    if edited == BASE and not weights:
        weights = ("pine=-1",)
    painter = painter_with(guidance_scale=guidance_scale)
    requests = pair(painter, edited, *weights, keep_words=0.6)
    row = torch.tensor(requests[1].token_weights or (1.0,) * 77)
    # Four PNDM steps are five evaluations.
    explicit = EditedAttention(shares, added, row, word_steps=3, layout_steps=2)
    theirs = explicit_latents(painter, edited, explicit, seed=3)
    ours = painter.denoise(requests)
    assert close(ours, theirs)
    untied = denoise(painter, [request.prompt for request in requests], [3, 3])
    assert close(ours[:1], untied[:1]), "the base is painted as it is alone"
    assert not close(ours[1], untied[1], atol=5e-4), "the base should matter"


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({"keep_words": 0.0}, {"word_steps": 0, "layout_steps": 2}),
        ({"keep_layout": 0.0}, {"word_steps": 2, "layout_steps": 0}),
        ({"keep_words": 1.0, "keep_layout": 1.0}, {"word_steps": 5, "layout_steps": 5}),
        ({"keep_layout_at": 4}, {"word_steps": 2, "layout_steps": 2, "layout_pixels": 16}),
        ({"keep_layout_at": 3}, {"word_steps": 2, "layout_steps": 0}),
    ],
)
def test_words_and_layout_are_kept_for_their_steps_and_layers(
    painter_with: Load, settings: dict[str, Any], steps: dict[str, Any]
) -> None:
    painter = painter_with()
    edited, shares, added = CASES["add words"]
    explicit = EditedAttention(shares, added, torch.ones(77), **steps)
    theirs = explicit_latents(painter, edited, explicit, seed=3)
    assert close(painter.denoise(pair(painter, edited, **settings)), theirs)


def with_sharp_attention(painter: Painter) -> Painter:
    """Random layers attend to everything alike; make words act in some places more than others."""
    for layer in cross_attention_layers(painter.pipeline.unet):
        layer.to_q.weight.data *= 30
        layer.to_k.weight.data *= 5
    return painter


@pytest.mark.parametrize(
    ("edited", "only", "places_of_it", "seed"),
    [
        ("a lime tree and a red sun", "lime", ([2], [2]), 4),
        ("a lime tree and a red sun", "pine", ([2], [2]), 4),
        ("a tall pine tree and a very red sun", "tall", ([], [2]), 5),
        ("a tall pine tree and a very red sun", "red sun", ([6, 7], [8, 9]), 4),
        ("a pine tree", "sun", ([7], []), 4),
    ],
)
def test_the_change_is_limited_to_where_a_word_acts(
    painter_with: Load,
    edited: str,
    only: str,
    places_of_it: tuple[list[int], list[int]],
    seed: int,
) -> None:
    painter = with_sharp_attention(painter_with())
    shares, added = next(
        ((shares, added) for text, shares, added in CASES.values() if text == edited),
        (places((0, 0, 77)), []),
    )
    requests = pair(painter, edited, seed=seed, only=(only,))
    explicit = EditedAttention(
        shares, added, torch.ones(77), word_steps=2, layout_steps=2, only=places_of_it
    )
    theirs = explicit_latents(painter, edited, explicit, seed=seed)
    ours = painter.denoise(requests)
    assert close(ours, theirs)
    changed = (ours[0] != ours[1]).any(dim=0)
    assert 0 < changed.sum() < changed.numel()


def test_a_batch_of_edits_paints_each_as_if_it_were_alone(painter_with: Load) -> None:
    painter = painter_with()
    pairs = [
        pair(painter, "a tall pine tree and a very red sun", "sun=2", seed=1),
        pair(painter, BASE, "pine=-1", seed=2, keep_words=0.8, keep_layout=0.2),
        pair(painter, "a pine tree", seed=3, only=("red",)),
        pair(painter, "a pine tree and a red moon", seed=3, keep_layout_at=4),
    ]
    plain = painter.request(Prompt("a lake"), 4)
    together = painter.denoise([*pairs[0], plain, *pairs[1], *pairs[2], *pairs[3]])
    alone = [painter.denoise(each) for each in (pairs[0], [plain], *pairs[1:])]
    assert close(together, torch.cat(alone))


def test_an_edit_works_on_the_guided_steps_and_on_the_others(painter_with: Load) -> None:
    painter = painter_with(guidance_start=0.2, guidance_end=0.6)
    requests = pair(painter, "a pine tree and a red moon", keep_words=1.0, keep_layout=1.0)
    [base, edited] = painter.denoise(requests)
    untied = denoise(painter, [request.prompt for request in requests], [3, 3])
    assert close(base, untied[0])
    assert not close(edited, untied[1], atol=1e-2)


def test_plain_painting_is_bit_identical_before_and_after(painter_with: Load) -> None:
    painter = painter_with()
    painter.pipeline.enable_attention_slicing()
    processors = painter.pipeline.unet.attn_processors
    weighted = Prompt(BASE, (parse_weight("pine=-1"),))
    before = denoise(painter, [weighted, Prompt("a lake")], [1, 2])
    painter.denoise(pair(painter, "a pine tree and a red moon", only=("moon",)))
    assert painter.pipeline.unet.attn_processors == processors
    assert torch.equal(denoise(painter, [weighted, Prompt("a lake")], [1, 2]), before)


def test_processors_are_restored_when_painting_fails(painter_with: Load) -> None:
    painter = painter_with()
    processors = painter.pipeline.unet.attn_processors

    def fail(*_: object) -> None:
        assert painter.pipeline.unet.attn_processors != processors
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        painter.start(pair(painter, "a lake"), on_step=fail)
    assert painter.pipeline.unet.attn_processors == processors


def test_an_edit_that_does_not_follow_its_base_is_refused(painter_with: Load) -> None:
    painter = painter_with()
    base, edit = pair(painter, "a lake")
    for batch in ([edit], [edit, base], [base, base, replace(edit, edit=None), edit]):
        with pytest.raises(ValueError, match=r"is an edit, but does not follow its base"):
            painter.denoise(batch)


def test_a_pair_takes_the_evaluations_of_two_paintings(
    painter_with: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = painter_with()
    sizes: list[int] = []
    forward = painter.pipeline.unet.forward

    def counting(sample: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        sizes.append(len(sample))
        return forward(sample, *args, **kwargs)

    monkeypatch.setattr(painter.pipeline.unet, "forward", counting)
    painter.denoise(pair(painter, "a tall pine tree", only=("tall",)))
    assert sizes == [4] * 5
    sizes.clear()
    denoise(painter, [Prompt(BASE), Prompt("a tall pine tree")], [3, 3])
    assert sizes == [4] * 5
