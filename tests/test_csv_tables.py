import csv
import io

from monetize.csv_tables import to_csv


def test_cells_that_need_quotes_survive_a_round_trip() -> None:
    rows = [["a, b", 'say "x"', "two\nlines", "old\rmac"], ["été", "雪", "", "1"]]
    data = to_csv(("a", "b", "c", "d"), rows)
    text = io.StringIO(data.decode(), newline="")
    assert list(csv.reader(text, strict=True)) == [["a", "b", "c", "d"], *rows]


def test_names_that_are_not_unicode_stay_as_they_are_on_disk() -> None:
    assert to_csv(["photo"], [["\udcff.jpg"]]) == b"photo\n\xff.jpg\n"
