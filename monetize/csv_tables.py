"""Tables as CSV."""

import csv
import io
from collections.abc import Iterable


def to_csv(header: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    """A CSV table as bytes, with names that are not valid Unicode kept as they are on disk."""
    text = io.StringIO(newline="")
    plain = csv.writer(text, lineterminator="\n")
    # Python 3.11 leaves a lone carriage return without the quotes that it needs.
    quoted = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    plain.writerow(header)
    for row in rows:
        cells = [str(cell) for cell in row]
        (quoted if "\r" in "".join(cells) else plain).writerow(cells)
    return text.getvalue().encode("utf-8", errors="surrogateescape")
