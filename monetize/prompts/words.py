"""Words of a text: splitting it, and finding phrases whatever their case and Unicode form."""

import re
import unicodedata

# Typographic signs match the plain ones, as keyboards have only these.
PLAIN_SIGNS = str.maketrans("’‘‛ʼ＇“”„‟‐‑", "'''''\"\"\"\"--")
JOINERS = frozenset("'-_")
# Scripts that put no space between words, so that a phrase may begin and end anywhere.
SPACELESS_SCRIPTS = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
# Over the kinds of characters: letters, digits, joiners, and points that join digits, as in 3.5.
WORD = re.compile(r"[ld]+(?:j[ld]+|(?<=d)p(?=d)[ld]+)*")


def words(text: str) -> list[str]:
    """Return the words of a text; an apostrophe or hyphen inside a word belongs to it."""
    kinds = "".join(map(_kind, text))
    return [text[match.start() : match.end()] for match in WORD.finditer(kinds)]


def fold(text: str) -> str:
    """Return a form in which phrases are equal whatever their case, Unicode form and spaces."""
    return _fold(" ".join(text.split()))[0]


def find_phrase(phrase: str, text: str) -> list[tuple[int, int]]:
    """Return the character range [start, end) of every occurrence of a phrase in text.

    Words of the phrase match whole words, punctuation matches anywhere, and any white space may
    separate them.
    """
    folded, origins = _fold(text)
    pattern = r"\s+".join(re.escape(word) for word in fold(phrase).split())
    # A lookahead finds occurrences that overlap, too.
    ranges = [match.span(1) for match in re.finditer(f"(?=({pattern}))", folded)]
    return [
        (min(origins[start:end]), max(origins[start:end]) + 1)
        for start, end in ranges
        if start < end and not _splits_word(folded, start) and not _splits_word(folded, end)
    ]


def _fold(text: str) -> tuple[str, list[int]]:
    """Fold a text; the list has the index in text that each character comes from."""
    folded: list[tuple[str, int]] = []
    marks: list[tuple[str, int]] = []
    for i, char in enumerate(text):
        lower = unicodedata.normalize("NFD", char).casefold()
        for each in unicodedata.normalize("NFD", lower).translate(PLAIN_SIGNS):
            if unicodedata.combining(each):
                marks.append((each, i))
                continue
            folded += _in_canonical_order(marks)
            marks = []
            folded.append((each, i))
    folded += _in_canonical_order(marks)
    return "".join(char for char, _ in folded), [i for _, i in folded]


def _in_canonical_order(marks: list[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(marks, key=lambda mark: unicodedata.combining(mark[0]))


def _splits_word(text: str, i: int) -> bool:
    """Return whether a boundary before text[i] is inside a word."""
    if not 0 < i < len(text) or not (_is_letter(text[i - 1]) and _is_letter(text[i])):
        return False
    spaceless = any(
        unicodedata.name(char, "").startswith(SPACELESS_SCRIPTS) for char in text[i - 1 : i + 1]
    )
    return _is_mark(text[i]) or not spaceless


def _is_mark(char: str) -> bool:
    return unicodedata.category(char).startswith("M")


def _is_letter(char: str) -> bool:
    return char.isalnum() or _is_mark(char)


def _kind(char: str) -> str:
    if char.isdigit():
        return "d"
    if _is_letter(char):
        return "l"
    if char.translate(PLAIN_SIGNS) in JOINERS:
        return "j"
    return "p" if char in ".," else " "
