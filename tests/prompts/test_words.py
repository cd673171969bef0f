import time

import pytest

from monetize.prompts.words import find_phrase, fold, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tree,sun,lake", ["tree", "sun", "lake"]),
        ("tree;sun/lake|boat (red)", ["tree", "sun", "lake", "boat", "red"]),
        ("tree\u2014sun\u2026lake.", ["tree", "sun", "lake"]),
        ("a sunset's pine-tree, isn\u2019t", ["a", "sunset's", "pine-tree", "isn\u2019t"]),
        ("'a tree' - red", ["a", "tree", "red"]),
        ("3.5 of 1,000 trees", ["3.5", "of", "1,000", "trees"]),
        ("cafe\u0301 caf\u00e9", ["cafe\u0301", "caf\u00e9"]),
        ("!? \U0001f3a8", []),
    ],
)
def test_words_end_at_punctuation(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("sun", "tree,sun,lake", ["sun"]),
        ("tree", "pine_tree", ["tree"]),
        ("!", "a sunset! over", ["!"]),
        ("?!", "what?!", ["?!"]),
        ("\U0001f3a8", "a \U0001f3a8!", ["\U0001f3a8"]),
        ("don't", "don\u2019t, don't, don\u02bct", ["don\u2019t", "don't", "don\u02bct"]),
        ("don\u2019t", "I don't", ["don't"]),
        ("caf\u00e9", "cafe\u0301, CAFE\u0301", ["cafe\u0301", "CAFE\u0301"]),
        ("cafe\u0301", "caf\u00e9", ["caf\u00e9"]),
        ("cafe", "cafe\u0301 caf\u00e9", []),
        ("\ud55c", "\u1112\u1161\u11ab", ["\u1112\u1161\u11ab"]),
        ("q\u0323\u0307", "q\u0307\u0323", ["q\u0307\u0323"]),
        ("strasse", "STRA\u00dfE", ["STRA\u00dfE"]),
        ("猫", "一只猫", ["猫"]),
        ("が", "か\u3099 か", ["か\u3099"]),
        ("a a", "xa a a", ["a a"]),
        ("", "a tree", []),
    ],
)
def test_phrases_are_found_in_any_form(phrase: str, text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in find_phrase(phrase, text)] == found


def test_phrases_that_match_the_same_text_fold_alike() -> None:
    assert fold(" Red  CAFE\u0301 ") == fold("red caf\u00e9")
    assert fold("cafe") != fold("caf\u00e9")


def test_long_texts_are_searched_in_linear_time() -> None:
    text = "a" * 100_000 + " " + "\u0301" * 100_000 + ",'-.3" * 20_000
    began = time.process_time()
    find_phrase("a a", text)
    words(text)
    assert time.process_time() - began < 5
