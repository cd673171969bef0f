"""Writing tables as CSV."""

import csv
import io
from collections.abc import Iterable


def to_csv(header: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    """Return a CSV table as bytes; names that are not valid Unicode stay as they are on disk."""
    text = io.StringIO(newline="")
    plain = csv.writer(text, lineterminator="\n")
    # Python 3.11 does not quote a lone carriage return, although it must be quoted.
    quoted = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    plain.writerow(header)
    for row in rows:
        cells = [str(cell) for cell in row]
        (quoted if "\r" in "".join(cells) else plain).writerow(cells)
    return text.getvalue().encode("utf-8", errors="surrogateescape")
