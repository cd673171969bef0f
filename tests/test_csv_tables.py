import csv
import io

import pytest

from monetize.csv_tables import to_csv, unescape_formula


def test_cells_that_need_quotes_survive_a_round_trip() -> None:
    rows = [["a, b", 'say "x"', "two\nlines", "old\rmac"], ["été", "雪", "", "1"]]
    data = to_csv(("a", "b", "c", "d"), rows)
    text = io.StringIO(data.decode(), newline="")
    assert list(csv.reader(text, strict=True)) == [["a", "b", "c", "d"], *rows]


def test_names_that_are_not_unicode_stay_as_they_are_on_disk() -> None:
    assert to_csv(["photo"], [["\udcff.jpg"]]) == b"photo\n\xff.jpg\n"


TEXTS = [
    "=1+1", "+1+cmd", "-x", "--x", "@SUM(1)", "\t=1", "\r=1", "\n=1", "=", "'=1", "''=1", "'",
    "'x", "x=1", "", "-1", "+1.5", "-1.5.2", "'-1", "= 1", '=HYPERLINK("http://x","y")', "＝1",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_no_cell_is_a_formula_and_every_cell_comes_back(text: str) -> None:
    table = to_csv(("photo",), [(text,)]).decode()
    [_, cell] = [row[0] if row else "" for row in csv.reader(io.StringIO(table, newline=""))]
    assert unescape_formula(cell) == text
    if cell not in ("-1", "+1.5"):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))


def test_text_and_numbers_stay_as_they_are() -> None:
    row = ("a lake, with =", -1.5, "-0.25", '["pine=-1"]', "it's")
    table = to_csv("abcde", [row]).decode()
    assert next(csv.DictReader(io.StringIO(table))) == dict(
        zip("abcde", map(str, row), strict=True)
    )


def test_columns_of_own_text_are_not_escaped() -> None:
    assert to_csv(("a", "b"), [("-x", "-x")], verbatim=("b",)) == b"a,b\n'-x,-x\n"
