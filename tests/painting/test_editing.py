"""Requests for edits: what they take from their base, and what is refused."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from transformers import CLIPTokenizer

from monetize.errors import UsageError
from monetize.painting.editing import edited_request
from monetize.painting.painter import Painter
from monetize.painting.request import PaintRequest
from monetize.prompts.prompt import Prompt
from monetize.prompts.weights import parse_weight
from monetize.settings import EditSettings

BASE = "a pine tree and a red sun"


def request(
    tokenizer: CLIPTokenizer, edited: str, *weights: str, base: str = BASE, **settings: Any
) -> PaintRequest:
    prompt = Prompt(edited, tuple(map(parse_weight, weights)))
    plain = PaintRequest.of(tokenizer, Prompt(base), 3)
    return edited_request(tokenizer, plain, prompt, EditSettings(**settings))


def test_an_edit_has_its_prompt_and_the_seed_of_its_base(clip_tokenizer: CLIPTokenizer) -> None:
    edited = request(clip_tokenizer, "a pine tree and a red moon", "moon=2")
    assert edited.edit is not None
    assert edited.edit.base == PaintRequest.of(clip_tokenizer, Prompt(BASE), 3)
    assert edited.prompt.text == "a pine tree and a red moon"
    assert (edited.seed, (edited.token_weights or ())[7]) == (3, 2)


@pytest.mark.parametrize(
    ("only", "in_base", "in_edited"),
    [
        (("moon",), (7,), (8,)),
        (("sun",), (7,), (8,)),
        (("tree",), (3,), (3,)),
        (("tall",), (), (4,)),
        (("Pine Tree", "red"), (2, 3, 6), (2, 3, 7)),
    ],
)
def test_a_word_in_one_prompt_limits_the_change_to_its_partner_in_the_other(
    clip_tokenizer: CLIPTokenizer,
    only: tuple[str, ...],
    in_base: tuple[int, ...],
    in_edited: tuple[int, ...],
) -> None:
    edited = request(clip_tokenizer, "a pine tree tall and a red moon", only=only)
    assert edited.edit is not None
    assert edited.edit.only_in_base == in_base
    assert edited.edit.only_in_edited == in_edited


@pytest.mark.parametrize(
    ("base", "edited", "weights", "only", "message"),
    [
        (BASE, BASE, (), (), "the edited painting would be the same, as the painter sees no diff"),
        (BASE, BASE.upper(), ("pine=1",), (), "give another --edit, or a --weight other than 1"),
        ("pine " * 80, "pine " * 80 + "sun", (), (), "the edited painting would be the same"),
        (BASE, "a lake", ("pine=2",), (), "'pine' is not in the prompt. Its words are: a, lake"),
        (BASE, "a lake", (), ("elm",), "--only: 'elm' is not in the part of the prompts that the"),
        (BASE, "a lake", (), ("elm",), "words are: a, pine, tree, and, red, sun, lake"),
        (BASE, "a " * 80 + "lake", (), ("lake",), "--only: 'lake' is not in the part of the"),
        (BASE, "a lake", (), ("@2",), "--only @2: give a word or phrase, not a position"),
    ],
)  # fmt: skip
def test_what_is_not_an_edit_is_refused(
    clip_tokenizer: CLIPTokenizer,
    base: str,
    edited: str,
    weights: tuple[str, ...],
    only: tuple[str, ...],
    message: str,
) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        request(clip_tokenizer, edited, *weights, base=base, only=only)


def test_an_edit_is_not_painted_with_heat_maps_or_by_a_compiled_model(
    painter_with: Callable[..., Painter],
) -> None:
    painter = painter_with()
    edited = request(painter.pipeline.tokenizer, "a lake")
    assert edited.edit is not None
    batch = [edited.edit.base, edited]
    with pytest.raises(UsageError, match="an edit has no heat maps"):
        painter.start(batch, heat=True)
    painter.compile(backend="eager")
    with pytest.raises(UsageError, match="a compiled model cannot paint edits"):
        painter.start(batch)
