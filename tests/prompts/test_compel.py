"""Prompts with compel's weights, as its documentation gives them."""

import time
from contextlib import suppress

import pytest

from monetize.errors import UsageError
from monetize.prompts.compel import escape_compel, parse_compel
from monetize.prompts.emphasis import MarkedText

Parts = list[tuple[str, float]]


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        ("a pine+ tree", "a pine tree", [("pine", 1.1)]),
        ("a pine++ tree", "a pine tree", [("pine", 1.21)]),
        ("a pine--, tree", "a pine, tree", [("pine", 0.81)]),
        ("a (pine tree)+", "a pine tree", [("pine tree", 1.1)]),
        ("a (pine tree)- in fog", "a pine tree in fog", [("pine tree", 0.9)]),
        ("a (pine)1.3 tree", "a pine tree", [("pine", 1.3)]),
        ("a (pine)0 tree", "a pine tree", [("pine", 0)]),
        ("a (pine)-1.5 tree", "a pine tree", [("pine", -1.5)]),
        ('a "pine tree"1.2', "a pine tree", [("pine tree", 1.2)]),
        ("a (pine (old)++ tree)-", "a pine old tree", [
            ("pine ", 0.9), ("old", 1.089), (" tree", 0.9)]),
        ("a (tree in fog)", "a tree in fog", []),
        ('a sign "stop" here', 'a sign "stop" here', []),
        (r"a \(pine\) and c\+\+ and \"x\"", 'a (pine) and c++ and "x"', []),
        ("a well-lit++ day - or -5 - 3", "a well-lit day - or -5 - 3", [("well-lit", 1.21)]),
        ("pine++(old)0.5", "pine old", [("pine", 1.21), ("old", 0.5)]),
        ("(open and ) closed", "open and  closed", []),
        ("a (b", "a (b", []),
        ("a) b", "a) b", []),
        ("a+.", "a.", [("a", 1.1)]),
        ("", "", []),
    ],
)  # fmt: skip
def test_signs_and_numbers_are_weights(source: str, text: str, expected: Parts) -> None:
    marked = parse_compel(source)
    assert marked.text == text
    assert [(marked.text[e.start : e.end], e.factor) for e in marked.emphasis] == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            '("a", "b").blend(0.5, 0.5)',
            r"\.blend\( … \) in the prompt is not supported: take it out",
        ),
        ('("a", "b").and()', r"\.and\( … \) in the prompt is not supported"),
        ("a cat.swap(dog)", r"\.swap\( .* is not supported: --edit paints a changed prompt"),
        ("a withLora(x, 0.5)", "withLora"),
        ("(" * 101, "more than 100 brackets are open at once"),
        ("(a)" + "9" * 400, "the weight of 'a' is not a finite number"),
        ("((a)" + "+" * 1000 + ")" + "9" * 300, "is not a finite number"),
    ],
)
def test_operators_are_refused(source: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_compel(source)


@pytest.mark.parametrize("text", ['a (b)+ c++ \\ "d"1.2 e-', "", "((((", "plain", "a --", "-5 +"])
def test_escaped_text_is_only_text(text: str) -> None:
    assert parse_compel(escape_compel(text)) == MarkedText(text)


@pytest.mark.parametrize(
    "part", ["(a)", "a+", "+", "a", "(a", '"', '"a"', "1.", "-a", "(a)1", "\\"]
)
def test_a_hostile_prompt_takes_no_time(part: str) -> None:
    begin = time.process_time()
    with suppress(UsageError):
        parse_compel(part * 50_000)
    escape_compel(part * 50_000)
    assert time.process_time() - begin < 2
