from monetize.messages import counted, first_line, name_some, printable


def test_control_characters_and_undecodable_bytes_are_escaped() -> None:
    assert printable("a\x1b[31m\n\udcff雪.jpg") == r"a\x1b[31m\n\udcff雪.jpg"


def test_a_count_agrees_with_its_noun() -> None:
    assert [counted(n, "painting") for n in (0, 1, 7038)] == [
        "0 paintings",
        "1 painting",
        "7,038 paintings",
    ]


def test_only_the_start_of_a_librarys_error_is_shown() -> None:
    assert first_line(ValueError("\n no such layer\nTraceback ...")) == "no such layer"
    assert first_line("x" * 400) == "x" * 300 + " …"


def test_long_lists_of_names_are_shortened() -> None:
    assert name_some(["a", "b\n", "c"]) == r"a, b\n, c"
    assert name_some("abcde") == "a, b, c and 2 more"
