"""Styles as phrases and as templates, and which of several a photo gets."""

from collections import Counter
from pathlib import Path

import pytest

from monetize.errors import InputError, UsageError
from monetize.prompts.style import check_style, choose_style, fill_style, own_words, read_styles

NAMES = {"stem": "IMG_7", "folder": "paris"}


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("in monet style", "a {lake} in monet style"),
        ("", "a {lake}"),
        ("an oil painting of {caption}, 1890", "an oil painting of a {lake}, 1890"),
        ("{caption}", "a {lake}"),
        (" seen in {folder}, {stem}", "a {lake} seen in paris, IMG_7"),
        ("{{{caption}}} {{x}}", "{a {lake}} {x}"),
        ("{caption}, {caption}", "a {lake}, a {lake}"),
    ],
)
def test_a_caption_goes_where_the_style_says_or_before_it(style: str, text: str) -> None:
    assert fill_style(style, " a {lake} ", NAMES) == text


@pytest.mark.parametrize(
    ("style", "message"),
    [
        (
            "{Caption}",
            r"--style: unknown {Caption}: write {caption}, {stem} or {folder}, and {{ or",
        ),
        ("{}", "unknown {}"),
        ("{0}", "unknown {0}"),
        ("{caption.upper}", "unknown {caption.upper}"),
        ("{caption!r:>9}", "unknown {caption!r:>9}"),
        ("{caption:{stem}}", "unknown {caption:{stem}}"),
        ("a { b", "a single brace in 'a { b'"),
        ("a } b", "a single brace in 'a } b'"),
    ],
)
def test_other_braces_are_refused_with_the_known_fields(style: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        check_style(style)
    assert message in f"--style: {error.value}"


def test_a_styles_own_words_are_those_outside_the_fields() -> None:
    assert own_words("an oil painting of {caption}, {{1890}}") == "an oil painting of , {1890}"


def test_a_file_has_one_style_per_line(tmp_path: Path) -> None:
    path = tmp_path / "styles.txt"
    path.write_bytes("by monet\r\n\r\n  {caption} à la Renoir \r\n".encode("utf-16"))
    assert read_styles(path) == ("by monet", "{caption} à la Renoir")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\n \n", r"styles\.txt: no style in it: write one per line"),
        (b"a\n\na", "line 3: the same style as in line 1: remove one"),
        (b"a\n{b}", r"line 2: unknown \{b\}: write \{caption\}"),
        ("été".encode("latin-1"), "not valid UTF-8"),
    ],
)
def test_a_file_of_other_text_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "styles.txt").write_bytes(data)
    with pytest.raises((InputError, UsageError), match=message):
        read_styles(tmp_path / "styles.txt")


def test_a_seed_always_chooses_the_same_style_and_seeds_choose_all() -> None:
    styles = ("by monet", "by renoir", "by degas")
    chosen = [choose_style(styles, seed) for seed in range(300)]
    assert chosen == [choose_style(styles[::-1], seed) for seed in range(300)]
    assert min(Counter(chosen).values()) > 70


def test_another_style_changes_only_the_choices_that_it_wins() -> None:
    styles = ("by monet", "by renoir", "by degas")
    for seed in range(100):
        assert choose_style((*styles, "by sisley"), seed) in (
            choose_style(styles, seed),
            "by sisley",
        )
