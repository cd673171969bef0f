import pytest

from monetize.errors import UsageError
from monetize.prompts.prompt import Prompt, compose, read_prompt, read_prompts
from monetize.prompts.weights import Weight


def test_compose_joins_with_one_space_and_keeps_the_weights_that_apply() -> None:
    pine, elm, third = Weight("pine", -1), Weight("elm", 2), Weight("@3", 0)
    assert compose("a pine ", " in monet style painting", (pine, elm, third)) == Prompt(
        "a pine in monet style painting", (pine, third)
    )
    assert compose("a pine", "").text == "a pine"
    assert compose("", "a style").text == "a style"
    assert compose("a pine", "{stem}: {caption}", (pine,), {"stem": "elm"}) == Prompt(
        "elm: a pine", (pine,)
    )


def test_a_prompt_keeps_what_was_written_and_reads_what_it_means() -> None:
    prompt = Prompt.parse("a (pine:1.2) tree", (Weight("tree", 2),), "a1111")
    assert prompt.text == "a pine tree"
    assert prompt.written == "a (pine:1.2) tree"
    assert prompt.is_weighted
    assert prompt.weight_texts == ["tree=2", '"pine" × 1.2']
    assert Prompt.parse("a (pine:1.2) tree") == Prompt("a (pine:1.2) tree")


@pytest.mark.parametrize("syntax", ["plain", "a1111", "compel"])
def test_a_prompt_without_weights_has_the_same_text_and_is_written_in_the_syntax(
    syntax: str,
) -> None:
    prompt = Prompt.parse(r"a (pine++)1.2 [x] \(elm\) 5- \\", (Weight("elm", 2),), syntax)
    without = prompt.without_weights(syntax)
    assert without.text == prompt.text
    assert not without.is_weighted
    assert Prompt.parse(without.written, (), syntax) == without


def test_weights_of_a_composed_prompt_apply_to_what_it_means() -> None:
    pine = Weight("a pine", 2)
    composed = compose("a (pine)", "[in fog]", (pine, Weight("(pine)", 2)), syntax="a1111")
    assert composed.text == "a pine in fog"
    assert composed.weights == (pine,)
    assert composed.written == "a (pine) [in fog]"


def test_a_byte_order_mark_is_not_part_of_a_prompt() -> None:
    assert read_prompt("\ufeffa pine tree") == "a pine tree"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        data = "a pine tree\r\n\r\n  a café \r\n".encode(encoding)
        assert read_prompts(data, "a.txt") == ["a pine tree", "a café"]


def test_prompts_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(UsageError, match=r"the prompt caf\\udce9 is not valid UTF-8"):
        read_prompt("caf\udce9")
    with pytest.raises(UsageError, match=r"a\.txt: not valid UTF-8 .*: save the file"):
        read_prompts("a café".encode("latin-1"), "a.txt")


@pytest.mark.parametrize("syntax", ["plain", "a1111", "compel"])
@pytest.mark.parametrize(
    "name", ["cats AND dogs", "beach (old)", "[b] c++", 'a "b"-', "<lora:x:1>"]
)
def test_names_in_a_template_are_plain_text_in_every_syntax(name: str, syntax: str) -> None:
    prompt = compose(
        "a lake", "{caption}, {folder} by monet", names={"folder": name}, syntax=syntax
    )
    assert prompt.text == f"a lake, {name} by monet"
    assert not prompt.emphasis


def test_a_caption_may_use_the_syntax() -> None:
    assert compose("a (lake:1.5)", "{caption}", syntax="a1111").emphasis
