"""What shells are offered for an option's value."""

import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete

from monetize.cli import main
from monetize.cli.completing import names_or_files


def offered(*words: str) -> dict[str, str]:
    """What is offered for the last word, as {value: its type}."""
    complete = ShellComplete(main, {}, "monetize", "_MONETIZE_COMPLETE")
    items = complete.get_completions(list(words[:-1]), words[-1])
    return {item.value: item.type for item in items}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["pai"], {"paint"}),
        (["paint", "--gui"], {"--guidance-scale", "--guidance-start", "--guidance-end"}),
        (["paint", "--model", ""], {"auto", "pocket", "sd-v1-4", "sd-v1-3", "sd-v1-2", "sd-v1-1"}),
        (["run", "--captioner", ""], {"auto", "pocket", "vit-gpt2"}),
        (["run", "--config", "con"], {"contest"}),
        (["paint", "--preset", ""], {"draft"}),
        (["paint", "--scheduler", "dp"], {"dpm++"}),
        (["paint", "--prompt-syntax", ""], {"plain", "a1111", "compel"}),
        (["paint", "--palette", "mo"], {"monet"}),
        (["completion", ""], {"bash", "zsh", "fish"}),
    ],
)
def test_commands_options_and_names_are_offered(words: list[str], expected: set[str]) -> None:
    assert offered(*words).keys() == expected


@pytest.mark.parametrize(
    "words",
    [
        ["paint", "--model", "checkpoints/"],
        ["run", "--captioner", "./"],
        ["paint", "--lora", ""],
        ["run", "--config", "my-"],
        ["run", "--style-file", "st"],
        ["run", "--captions", "cap"],
        ["run", "--palette", "turners/"],
        ["check", "im"],
    ],
)
def test_files_are_offered_where_no_name_fits(words: list[str]) -> None:
    assert offered(*words) == {words[-1]: "file"}


def test_folders_are_offered_where_only_they_fit() -> None:
    assert offered("run", "ho") == {"ho": "dir"}


def test_a_name_is_offered_with_what_it_is() -> None:
    [item] = names_or_files([("pocket", "small"), ("auto", "x")], "po")
    assert (item.value, item.help) == ("pocket", "small")


def test_completing_imports_no_model_library() -> None:
    code = (
        "import sys\nfrom click.shell_completion import ShellComplete\n"
        "from monetize.cli import main\n"
        "complete = ShellComplete(main, {}, 'monetize', 'X')\n"
        "complete.get_completions([], '')\n"
        "complete.get_completions(['run', '--model'], '')\n"
        "print({'torch', 'numpy', 'PIL', 'huggingface_hub'} & set(sys.modules))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert shown.splitlines()[-1] == "set()"


@pytest.mark.parametrize("broken", ["--config", "--like"])
def test_a_wrong_value_before_the_word_is_no_obstacle(broken: str) -> None:
    assert offered("paint", broken, "no such file", "--model", "poc") == {"pocket": "plain"}
