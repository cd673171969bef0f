from monetize.prompts.prompt import Prompt, compose
from monetize.prompts.weights import Weight


def test_compose_joins_with_one_space_and_keeps_the_weights_that_apply() -> None:
    pine, elm, third = Weight("pine", -1), Weight("elm", 2), Weight("@3", 0)
    assert compose("a pine ", " in monet style painting", (pine, elm, third)) == Prompt(
        "a pine in monet style painting", (pine, third)
    )
    assert compose("a pine", "").text == "a pine"
    assert compose("", "a style").text == "a style"
