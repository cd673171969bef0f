import pytest
from transformers import CLIPTokenizer

from monetize.errors import UsageError
from monetize.prompts.prompt import Prompt
from monetize.prompts.tokens import weigh, weigh_strictly, word_positions
from monetize.prompts.weights import Weight, parse_weight


def weighted_pieces(tokenizer: CLIPTokenizer, text: str, *weights: str) -> dict[str, float]:
    """Return the pieces with a weight other than 1 as {"position piece": weight}."""
    weighted = weigh(tokenizer, Prompt(text, tuple(map(parse_weight, weights))))
    return {f"{t.position} {t.text}": t.weight for t in weighted.tokens if t.weight != 1}


def test_the_vocabulary_is_the_real_one(clip_tokenizer: CLIPTokenizer) -> None:
    ids = clip_tokenizer("a fantasy landscape with a pine forest").input_ids
    assert ids == [49406, 320, 5267, 5727, 593, 320, 7374, 4167, 49407]


@pytest.mark.parametrize(
    ("text", "weight", "pieces"),
    [
        ("a fantasy landscape with a pine forest", "pine=-1", {"6 pine</w>": -1}),
        ("a Pine  forest", "pine FOREST=2", {"2 pine</w>": 2, "3 forest</w>": 2}),
        ("pine, pine!", "pine=3", {"1 pine</w>": 3, "3 pine</w>": 3}),
        ("a monetize painting", "monetize=0", {"2 moneti": 0, "3 ze</w>": 0}),
        ("a fantasy landscape", "@0=-17", {"0 <|startoftext|>": -17}),
        ("the sunset's light", "sunset=2", {"2 sunset</w>": 2}),
        ("A  PINE\ttree", "pine=2", {"2 pine</w>": 2}),
        # The tokenizer composes letters; its offsets still refer to the original text.
        ("a cafe\u0301 and a tree", "tree=2", {"5 tree</w>": 2}),
        ("🎨 a tree", "tree=2", {"3 tree</w>": 2}),
        ("a red sunset! over a lake", "!=2", {"4 !</w>": 2}),
        ("tree,sun,lake", "sun=2", {"3 sun</w>": 2}),
        ("a dog's tree", "dog\u2019s=2", {"2 dog</w>": 2, "3 's</w>": 2}),
        ("a cafe\u0301", "caf\u00e9=2", {"2 café</w>": 2}),
    ],
)  # fmt: skip
def test_every_piece_of_every_occurrence_is_weighted(
    clip_tokenizer: CLIPTokenizer, text: str, weight: str, pieces: dict[str, float]
) -> None:
    assert weighted_pieces(clip_tokenizer, text, weight) == pieces


@pytest.mark.parametrize(
    ("source", "syntax", "weights", "pieces"),
    [
        ("a (pine:1.2) tree, pine", "a1111", (), {"2 pine</w>": 1.2}),
        ("a (pine:1.2) tree, pine", "a1111", ("pine=2",), {"2 pine</w>": 2.4, "5 pine</w>": 2}),
        ("a (pine tree:-1)", "a1111", ("tree=-3",), {"2 pine</w>": -1, "3 tree</w>": 3}),
        ("a pine++ (tree)0", "compel", (), {"2 pine</w>": 1.21, "3 tree</w>": 0}),
        ("dog(brown:1.5)", "a1111", (), {"2 brown</w>": 1.5}),
        ("(pine:1)", "a1111", (), {}),
    ],
)
def test_emphasis_acts_where_it_is_written_and_multiplies_weights(
    clip_tokenizer: CLIPTokenizer,
    source: str,
    syntax: str,
    weights: tuple[str, ...],
    pieces: dict[str, float],
) -> None:
    prompt = Prompt.parse(source, map(parse_weight, weights), syntax)
    tokens = weigh(clip_tokenizer, prompt).tokens
    weighted = {f"{t.position} {t.text}": t.weight for t in tokens if t.weight != 1}
    assert weighted == pytest.approx(pieces)


def test_emphasis_past_the_limit_does_not_reach_the_end_token(
    clip_tokenizer: CLIPTokenizer,
) -> None:
    weighted = weigh(clip_tokenizer, Prompt.parse("a " * 80 + "(pine:2)", (), "a1111"))
    assert set(weighted.values) == {1}
    assert weighted.beyond.endswith("pine")


@pytest.mark.parametrize("position", [4, 76])
def test_a_position_past_the_prompt_is_missing(
    clip_tokenizer: CLIPTokenizer, position: int
) -> None:
    weight = Weight(f"@{position}", 5)
    weighted = weigh(clip_tokenizer, Prompt("a tree", (weight,)))
    assert len(weighted.values) == 77
    assert set(weighted.values) == {1}
    assert weighted.missing == (weight,)
    with pytest.raises(
        UsageError, match=rf"'@{position}' is not in the prompt. Its positions are @0, .* to @3"
    ):
        weigh_strictly(clip_tokenizer, Prompt("a tree", (weight,)))


def test_the_end_token_is_a_position_of_the_prompt(clip_tokenizer: CLIPTokenizer) -> None:
    weighted = weigh_strictly(clip_tokenizer, Prompt("a tree", (Weight("@3", 5),)))
    last = weighted.tokens[-1]
    assert (last.position, last.text, last.weight) == (3, "<|endoftext|>", 5)


def test_two_weights_on_one_token_are_refused(clip_tokenizer: CLIPTokenizer) -> None:
    with pytest.raises(UsageError, match=r"'red sun=2' and 'sun=3' both apply to token 3"):
        weighted_pieces(clip_tokenizer, "a red sun", "red sun=2", "sun=3")


def test_a_position_past_the_encoders_last_is_refused(clip_tokenizer: CLIPTokenizer) -> None:
    with pytest.raises(UsageError, match=r"positions range from @0, the start token, to @76"):
        weighted_pieces(clip_tokenizer, "a tree", "@77=2")


def test_a_missing_word_is_refused_with_the_words(
    clip_tokenizer: CLIPTokenizer,
) -> None:
    with pytest.raises(
        UsageError, match=r"'elm' is not in the prompt. Its words are: a, pine, tree"
    ):
        weigh_strictly(clip_tokenizer, Prompt("a pine tree", (Weight("elm", 2),)))


def test_text_past_the_limit_is_marked_and_cannot_be_weighted(
    clip_tokenizer: CLIPTokenizer,
) -> None:
    # The start token, 75 words and the end token fill the 77 positions.
    text = "pine " * 75 + "red sun"
    weighted = weigh(clip_tokenizer, Prompt(text, (Weight("sun", 2), Weight("pine", 0))))
    assert weighted.beyond == "red sun"
    assert [token.text for token in weighted.tokens if token.cut] == ["red</w>", "sun</w>"]
    assert weighted.tokens[-1].position == 76
    assert weighted.cut == (Weight("sun", 2),)
    assert weighted.values == (1, *[0] * 75, 1)
    with pytest.raises(UsageError, match=r"'sun' is in the part that is cut: 'red sun'"):
        weigh_strictly(clip_tokenizer, Prompt(text, (Weight("sun", 2),)))


def test_a_prompt_that_just_fits_is_not_cut(clip_tokenizer: CLIPTokenizer) -> None:
    weighted = weigh(clip_tokenizer, Prompt("pine " * 74 + "sun", (Weight("sun", 2),)))
    assert weighted.beyond == ""
    assert weighted.values[75] == 2


def test_a_word_on_both_sides_of_the_limit_is_partly_cut(clip_tokenizer: CLIPTokenizer) -> None:
    weighted = weigh(clip_tokenizer, Prompt("pine " * 80, (Weight("pine", 2),)))
    assert weighted.partly_cut == (Weight("pine", 2),)
    assert weighted.values == (1, *[2] * 75, 1)


def test_the_last_position_of_a_long_prompt_is_the_end_token(clip_tokenizer: CLIPTokenizer) -> None:
    weighted = weigh_strictly(clip_tokenizer, Prompt("pine " * 80, (Weight("@76", 3),)))
    assert weighted.values[76] == 3
    assert (weighted.tokens[-1].text, weighted.tokens[-1].weight) == ("<|endoftext|>", 3)


def test_a_cut_part_is_shown_as_it_was_written(clip_tokenizer: CLIPTokenizer) -> None:
    text = "pine " * 74 + "a Café, 一只猫"
    weighted = weigh(clip_tokenizer, Prompt(text))
    assert weighted.beyond == "Café, 一只猫"
    [warning] = weighted.warnings()
    assert warning.endswith("this part has no effect: 'Café, 一只猫'")


def test_tokens_are_readable(clip_tokenizer: CLIPTokenizer) -> None:
    tokens = weigh(clip_tokenizer, Prompt("Cafés \x1b 猫 pine")).tokens
    assert not any(set(token.text) & set("ĢåıªçĮ«Ã©\x1b") for token in tokens)
    assert tokens[-2].text == "pine</w>"


def test_each_word_has_its_positions_whatever_joins_them(clip_tokenizer: CLIPTokenizer) -> None:
    assert word_positions(clip_tokenizer, Prompt("Tree,sun;lake tree!")) == {
        "Tree": (1, 6),
        "sun": (3,),
        "lake": (5,),
    }


def test_weighted_punctuation_and_positions_follow_the_words(
    clip_tokenizer: CLIPTokenizer,
) -> None:
    weights = (Weight("!", 2), Weight("@0", 0), Weight("red sun", 2), Weight("@2", 1))
    assert word_positions(clip_tokenizer, Prompt("a red sun!", weights)) == {
        "a": (1,),
        "red": (2,),
        "sun": (3,),
        "!": (4,),
        "@0": (0,),
    }
