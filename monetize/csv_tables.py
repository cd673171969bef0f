"""Tables as CSV that spreadsheets can open safely.

A spreadsheet runs a cell that begins with =, +, -, @, a tab or a line break as a formula, and
captions and file names may come from anywhere. Such a cell is written with an apostrophe in front,
which spreadsheets understand as "this is text"; reading removes it again.
"""

import csv
import io
import re
from collections.abc import Collection, Iterable

# Including the full-width forms that spreadsheets in East Asian languages accept.
FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def to_csv(
    header: Iterable[str], rows: Iterable[Iterable[object]], *, verbatim: Collection[str] = ()
) -> bytes:
    """Return a CSV table as bytes; names that are not valid Unicode keep their bytes.

    The columns in `verbatim` hold no text from outside and are never escaped.
    """
    text = io.StringIO(newline="")
    plain = csv.writer(text, lineterminator="\n")
    # Python 3.11 does not quote a lone carriage return, although it must be quoted.
    quoted = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    names = list(header)
    plain.writerow(names)
    for row in rows:
        cells = [
            str(cell) if name in verbatim else escape_formula(str(cell))
            for name, cell in zip(names, row, strict=True)
        ]
        (quoted if "\r" in "".join(cells) else plain).writerow(cells)
    return text.getvalue().encode("utf-8", errors="surrogateescape")


def escape_formula(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; `unescape_formula` is the inverse."""
    return f"'{cell}" if FORMULA.match(cell) and not NUMBER.fullmatch(cell) else cell


def unescape_formula(cell: str) -> str:
    """Return the text of a cell that `to_csv` may have escaped."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell
