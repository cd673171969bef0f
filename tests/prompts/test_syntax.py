"""Choosing a prompt's syntax, and telling which one it looks like."""

import time

import pytest

from monetize.prompts.emphasis import Emphasis, MarkedText
from monetize.prompts.syntax import SYNTAXES, escape, hint, parse_prompt

MIXED = "a (pine:1.2) elm++"


def test_each_syntax_reads_its_own_weights_and_plain_none() -> None:
    assert parse_prompt(MIXED, "plain") == MarkedText(MIXED)
    assert parse_prompt(MIXED, "a1111") == MarkedText("a pine elm++", (Emphasis(2, 6, 1.2),))
    assert parse_prompt(MIXED, "compel") == MarkedText("a pine:1.2 elm", (Emphasis(11, 14, 1.21),))


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_escaped_text_comes_back(syntax: str) -> None:
    assert parse_prompt(escape(MIXED, syntax), syntax) == MarkedText(MIXED)


@pytest.mark.parametrize(
    ("text", "syntax"),
    [
        ("a (pine:1.2) tree", "a1111"),
        ("a (pine tree: -0.5)", "a1111"),
        ("a ((pine))", "a1111"),
        ("a pine++ tree", "compel"),
        ("a pine--", "compel"),
        ("a (pine tree)- in fog", "compel"),
        ("a (pine)1.3", "compel"),
    ],
)
def test_a_prompt_that_looks_like_another_syntax_gives_a_hint(text: str, syntax: str) -> None:
    assert f"--prompt-syntax {syntax} turns it into one" in hint(text)


@pytest.mark.parametrize("part", ["[pine:elm:0.5]", "<lora:monet:1>"])
def test_what_is_not_supported_gives_a_hint_to_take_it_out(part: str) -> None:
    assert hint(f"a {part} tree").startswith(f"'{part}' is of AUTOMATIC1111's web UI, and is read")


@pytest.mark.parametrize(
    "text",
    [
        "a pine tree",
        "a lake (at dawn)",
        "well-lit -- and calm",
        "4:3 [sic]",
        "a lake--calm",
        "(a) 2",
    ],
)
def test_plain_sentences_give_none(text: str) -> None:
    assert hint(text) == ""


@pytest.mark.parametrize("part", ["a", "(a", "(a)", "+", "a-", "(:1", "[a:1", "<lora:", "((a", "1"])
def test_a_hint_takes_no_time(part: str) -> None:
    begin = time.process_time()
    hint(part * 50_000)
    assert time.process_time() - begin < 2
