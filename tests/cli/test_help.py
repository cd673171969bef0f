"""`--help` lists options under headings, and starts as fast as a light import allows."""

import re
import subprocess
import sys

import pytest
from helpers import Run

SECTIONS = {
    "run": [
        "Input", "Captions", "Painting", "Weights", "Speed", "Device", "Cluster", "Output", "Other",
    ],
    "paint": ["Input", "Painting", "Weights", "Editing", "Speed", "Device", "Output", "Other"],
    "caption": ["Input", "Captions", "Device", "Output", "Other"],
}  # fmt: skip


@pytest.mark.parametrize("command", SECTIONS)
def test_options_are_listed_by_section(cli: Run, command: str) -> None:
    shown = cli(command, "--help").stdout
    assert re.findall(r"^(\w+):$", shown, re.MULTILINE) == SECTIONS[command]
    assert "\nOptions:" not in shown


@pytest.mark.parametrize(
    ("section", "option"),
    [
        ("Input", "--captions"),
        ("Captions", "--num-beams"),
        ("Painting", "--guidance-scale"),
        ("Weights", "--weight-end"),
        ("Speed", "--time-budget"),
        ("Device", "--offline"),
        ("Cluster", "--ray-address"),
        ("Output", "--gallery"),
        ("Other", "--help"),
    ],
)
def test_an_option_is_in_the_section_of_its_subject(cli: Run, section: str, option: str) -> None:
    [text] = re.findall(rf"^{section}:\n(.*?)(?:\n\n|\Z)", cli("run", "--help").stdout, re.M | re.S)
    assert re.search(rf"^  .*{option}\b", text, re.MULTILINE)


@pytest.mark.parametrize("command", SECTIONS)
def test_help_imports_what_a_command_works_with_only_when_it_runs(command: str) -> None:
    code = (
        "import sys\nfrom monetize.cli import main\n"
        f"main([{command!r}, '--help'], standalone_mode=False)\n"
        "print({'torch', 'numpy', 'PIL', 'tqdm', 'filelock'} & set(sys.modules))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert shown.splitlines()[-1] == "set()"


def test_words_to_type_are_shown_as_they_are_typed(cli: Run) -> None:
    text = cli("run", "--help").stdout
    assert "--size N|WxH|fit" in text
    assert "--batch-size auto|N" in text
