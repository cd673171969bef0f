"""Which words correspond: swapped, added, removed, in pieces, and past the limit."""

import pytest
from transformers import CLIPTokenizer

from monetize.prompts.edits import Alignment, align
from monetize.prompts.prompt import Prompt
from monetize.prompts.tokens import weigh


def aligned(tokenizer: CLIPTokenizer, base: str, edited: str) -> Alignment:
    base_ids, edited_ids = (weigh(tokenizer, Prompt(text)).input_ids for text in (base, edited))
    return align(base_ids, edited_ids, tokenizer.model_max_length)


@pytest.mark.parametrize(
    ("base", "edited", "words", "added"),
    [
        ("a cat", "a dog", {1: [1], 2: [2]}, ()),
        ("a red cat", "a blue dog", {1: [1], 2: [2], 3: [3]}, ()),
        ("a cat sleeps", "a black cat sleeps", {1: [1], 2: [3], 3: [4]}, (2,)),
        ("a cat", "a cat on a mat", {1: [1], 2: [2]}, (3, 4, 5)),
        ("a black cat sleeps", "a cat sleeps", {1: [1], 2: [], 3: [2], 4: [3]}, ()),
        ("a cat on a mat", "a cat", {1: [1], 2: [2], 3: [], 4: [], 5: []}, ()),
        # monetize is two tokens.
        ("a cat", "a monetize", {1: [1], 2: [2, 3]}, ()),
        ("a monetize", "a cat", {1: [1], 2: [2], 3: [2]}, ()),
        ("the monetize", "the MONETIZE", {1: [1], 2: [2], 3: [3]}, ()),
        ("one two three", "four five", {1: [1, 2], 2: [1, 2], 3: [1, 2]}, ()),
        # The longest shared block is kept in place, so the other words move.
        ("cat and a big dog", "a big dog and cat", {1: [], 2: [], 3: [1], 4: [2], 5: [3]}, (4, 5)),
    ],
)  # fmt: skip
def test_words_correspond_by_the_longest_shared_blocks(
    clip_tokenizer: CLIPTokenizer,
    base: str,
    edited: str,
    words: dict[int, list[int]],
    added: tuple[int, ...],
) -> None:
    alignment = aligned(clip_tokenizer, base, edited)
    for position, others in words.items():
        assert list(alignment.in_edited([position])) == others
        given = [share for one, _, share in alignment.shares if one == position]
        assert sum(given) == pytest.approx(1 if others else 0)
        assert len(set(given)) <= 1, "spread evenly"
    assert alignment.added == added


@pytest.mark.parametrize("edited", ["a dog", "a very big dog", "dog", "a big dog " * 40])
@pytest.mark.parametrize("base", ["a cat", "a cat on a mat", "cat and dog " * 40])
def test_start_end_and_padding_correspond_and_lose_no_attention(
    clip_tokenizer: CLIPTokenizer, base: str, edited: str
) -> None:
    alignment = aligned(clip_tokenizer, base, edited)
    base_end, end = (min(len(clip_tokenizer(t).input_ids) - 1, 76) for t in (base, edited))
    assert alignment.in_edited([0]) == (0,)
    for i in range(base_end, 77):
        assert alignment.in_edited([i]) == (min(end + i - base_end, 76),)
        assert sum(share for one, _, share in alignment.shares if one == i) == 1
    assert all(0 < position < end for position in alignment.added)


def test_equal_prompts_correspond_position_by_position(clip_tokenizer: CLIPTokenizer) -> None:
    alignment = aligned(clip_tokenizer, "a red sun", "a red sun")
    assert sorted(alignment.shares) == [(i, i, 1.0) for i in range(77)]


def test_a_prompt_that_is_too_long_corresponds_within_the_limit(
    clip_tokenizer: CLIPTokenizer,
) -> None:
    alignment = aligned(clip_tokenizer, "pine " * 90, "big " + "pine " * 90)
    assert alignment.added == (1,)
    assert alignment.in_edited([1]) == (2,)
    assert alignment.in_edited([75]) == (), "what was its partner is cut off"
    assert alignment.in_edited([76]) == (76,)


def test_positions_are_found_in_the_other_prompt(clip_tokenizer: CLIPTokenizer) -> None:
    alignment = aligned(clip_tokenizer, "a cat sleeps", "a monetize sleeps")
    assert alignment.in_edited([2, 3]) == (2, 3, 4)
    assert alignment.in_base([3]) == (2,)
    assert alignment.in_base([4]) == (3,)
