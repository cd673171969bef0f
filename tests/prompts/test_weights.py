import pytest

from monetize.errors import UsageError
from monetize.prompts.weights import Weight, parse_weight, split_weights


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("pine=-1", Weight("pine", -1)),
        ("red sun=2", Weight("red sun", 2)),
        ("  red   sun =1e-1", Weight("red sun", 0.1)),
        ("@6=-17", Weight("@6", -17)),
        ("a=b=0.5", Weight("a=b", 0.5)),
    ],
)
def test_weights_are_parsed(text: str, weight: Weight) -> None:
    assert parse_weight(text) == weight


@pytest.mark.parametrize("text", ["pine", "=1", "pine=", "pine=x", "pine=nan", "pine=inf", " =2"])
def test_other_text_is_refused_with_the_right_form(text: str) -> None:
    with pytest.raises(UsageError, match=r"is not a weight: write WORD=NUMBER.*such as pine=-1"):
        parse_weight(text)


def test_a_weight_is_parsed_back_from_its_text() -> None:
    for weight in (Weight("pine", -1), Weight("red sun", 1 / 3), Weight("@6", 1e-9)):
        assert parse_weight(str(weight)) == weight
    assert str(Weight("pine", -1.0)) == "pine=-1"


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("pine", "a pine tree, Pine and spine, pines", ["pine", "Pine"]),
        ("red sun", "a red  sun and a red\nsun; red moon", ["red  sun", "red\nsun"]),
        ("c++", "c++ and c", ["c++"]),
        ("été", "l'été d'ÉTÉ", ["été", "ÉTÉ"]),
        ("tree", "pine-tree", ["tree"]),
        ("elm", "a pine tree", []),
    ],
)
def test_a_phrase_is_found_as_whole_words_in_any_case(
    phrase: str, text: str, found: list[str]
) -> None:
    spans = Weight(phrase, 1).spans(text)
    assert [text[start:end] for start, end in spans] == found


def test_only_at_and_digits_name_a_position() -> None:
    assert Weight("@6", 1).position == 6
    assert Weight("6", 1).position is None
    assert Weight("@home", 1).position is None


def test_weights_are_split_at_the_commas_between_them() -> None:
    assert split_weights("") == []
    assert split_weights("pine=-1, red, sun=2") == ["pine=-1", "red, sun=2"]
    assert split_weights("pine=1, elm") == ["pine=1", "elm, "]
