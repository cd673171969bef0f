"""Text whose parts have factors."""

import pytest

from monetize.errors import UsageError
from monetize.prompts.emphasis import (
    Emphasis,
    MarkedText,
    MarkedTextBuilder,
    check_depth,
    parse_factor,
)


def test_neighbors_of_one_factor_are_one_part_and_rounding_hides_no_weight() -> None:
    builder = MarkedTextBuilder()
    builder.add("a ")
    place = builder.place
    builder.add("pine")
    builder.add(" tree")
    builder.multiply(place, 1.1)
    builder.multiply(place, 1.1)
    assert builder.build() == MarkedText("a pine tree", (Emphasis(2, 11, 1.21),))
    builder.multiply(place, 1 / 1.21)
    assert builder.build() == MarkedText("a pine tree")


def test_words_of_different_factors_do_not_grow_together() -> None:
    builder = MarkedTextBuilder()
    for text, factor in (("dog", 1), ("brown", 2), ("!", 1), ("", 3), ("x", 4), (" y", 1)):
        builder.add(text, factor)
    assert builder.build() == MarkedText("dog brown!x y", (Emphasis(4, 9, 2), Emphasis(10, 11, 4)))


def test_text_at_a_place_is_replaced() -> None:
    builder = MarkedTextBuilder()
    builder.add("(")
    builder.add("pine")
    builder.replace(0, "")
    assert builder.build() == MarkedText("pine")


def test_numbers_and_depths_out_of_range_are_refused() -> None:
    assert parse_factor("-.5") == -0.5
    with pytest.raises(UsageError, match="not a number"):
        parse_factor("1.2.3")
    check_depth(100)
    with pytest.raises(UsageError, match="more than 100 brackets"):
        check_depth(101)
