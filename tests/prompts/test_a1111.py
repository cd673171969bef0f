"""Prompts in the syntax of AUTOMATIC1111's web UI, beside what it documents."""

import time
from contextlib import suppress

import pytest

from monetize.errors import UsageError
from monetize.prompts.a1111 import escape_a1111, parse_a1111
from monetize.prompts.emphasis import MarkedText

Parts = list[tuple[str, float]]


def parts(marked: MarkedText) -> Parts:
    return [(marked.text[e.start : e.end], e.factor) for e in marked.emphasis]


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        # The wiki's page on features, "Attention/emphasis".
        ("a (word)", "a word", [("word", 1.1)]),
        ("a ((word))", "a word", [("word", 1.21)]),
        ("a [word]", "a word", [("word", 0.909091)]),
        ("a (word:1.5)", "a word", [("word", 1.5)]),
        ("a (word:0.25)", "a word", [("word", 0.25)]),
        (r"a \(word\)", "a (word)", []),
        # The examples in its parser.
        ("normal text", "normal text", []),
        ("an (important) word", "an important word", [("important", 1.1)]),
        ("(unbalanced", "unbalanced", [("unbalanced", 1.1)]),
        (r"\(literal\]", "(literal]", []),
        ("(unnecessary)(parens)", "unnecessaryparens", [("unnecessaryparens", 1.1)]),
        (
            "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
            "a house on a hill, sun, sky.",
            [("house", 1.573), (" ", 1.1), (" a ", 1.1), ("hill", 0.55), (", sun, ", 1.1),
             ("sky", 1.4641), (".", 1.1)],
        ),
        # The same rules, further.
        ("(pine:-1) tree", "pine tree", [("pine", -1)]),
        ("(pine : +.5 )", "pine ", [("pine ", 0.5)]),
        ("(a (pine:2) tree:3)", "a pine tree", [("a ", 3), ("pine", 6), (" tree", 3)]),
        ("([pine])", "pine", []),
        ("[[pine]", "pine", [("pine", 0.826446)]),
        ("dog(brown:1.2)", "dog brown", [("brown", 1.2)]),
        ("pine) :] 1:2) a:b", "pine) :] 1:2) a:b", []),
        (r"C:\x \\ \[a\]", r"C:\x \ [a]", []),
        ("(pine:soft)", "pine:soft", [("pine:soft", 1.1)]),
        ("Band BREAKFAST and", "Band BREAKFAST and", []),
        ("", "", []),
        ("()", "", []),
    ],
)  # fmt: skip
def test_brackets_are_weights(source: str, text: str, expected: Parts) -> None:
    marked = parse_a1111(source)
    assert marked.text == text
    assert parts(marked) == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a BREAK b", "BREAK in the prompt is not supported: it begins another 75 tokens there"),
        ("a AND b:0.5", "AND in the prompt is not supported: it mixes several prompts"),
        ("a [pine:elm:0.5]", r"\[pine:elm:0.5\] in the prompt is not supported: the prompt"),
        ("a [pine:10]", r"\[pine:10\] in the prompt is not supported"),
        ("a [pine::.5 ]", r"\[pine::.5 \] in the prompt is not supported"),
        ("a [(pine:1.2):elm:3]", "is not supported"),
        ("a [pine|elm]", r"\[pine|elm\] in the prompt is not supported"),
        ("a <lora:monet:0.8>", "<lora:monet:0.8> in the prompt names a file"),
        ("a <hypernet:monet:1>", "<hypernet:monet:1> in the prompt names a file"),
        ("(a:1.2.3)", "the weight '1.2.3' in the prompt is not a number"),
        ("(a:" + "9" * 400 + ")", "the weight of 'a' is not a finite number"),
        ("(" * 101, "more than 100 brackets are open at once"),
    ],
)  # fmt: skip
def test_what_only_the_web_ui_can_do_is_refused_with_the_reason(source: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_a1111(source)


@pytest.mark.parametrize(
    "text",
    ["a (b) [c] \\ \\( :1) (d:2)", "cats AND dogs BREAK", "<lora:a:1> <b>", "", "((((", "plain"],
)
def test_escaped_text_is_only_text(text: str) -> None:
    assert parse_a1111(escape_a1111(text)) == MarkedText(text)


@pytest.mark.parametrize("part", ["(a)", "[a]", "a:1)", ")", "\\", "a", "(a:1", ":", "[a:1]", "(1"])
def test_a_hostile_prompt_takes_no_time(part: str) -> None:
    begin = time.process_time()
    with suppress(UsageError):
        parse_a1111(part * 50_000)
    assert time.process_time() - begin < 2
