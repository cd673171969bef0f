import codecs

import pytest

from monetize.text_files import canonical, decode, lines

TEXT = "a pine tree\na café\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"),
        codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"),
        codecs.BOM_UTF8 + TEXT.encode("utf-8-sig"),
        b"".join(line.encode("utf-8-sig") for line in TEXT.splitlines(keepends=True)),
    ],
)
def test_text_is_the_same_with_any_byte_order_mark(data: bytes) -> None:
    assert decode(data) == TEXT


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (TEXT.encode("latin-1"), r"not valid UTF-8 \(byte 18\): save the file as UTF-8"),
        (codecs.BOM_UTF16_LE + b"a", "not valid UTF-16"),
        (TEXT.encode("utf-16-le"), "not a text file, or in another encoding|not valid UTF-8"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not valid UTF-8"),
    ],
)
def test_other_data_is_refused_with_advice(data: bytes, message: str) -> None:
    with pytest.raises(UnicodeError, match=message):
        decode(data)


def test_names_that_are_not_utf8_can_be_kept() -> None:
    assert decode(b"\xff.jpg", errors="surrogateescape") == "\udcff.jpg"


def test_lines_end_as_on_any_system() -> None:
    assert lines("a \r\nb\rc\n d\u2028e") == ["a ", "b", "c", " d\u2028e"]


def test_composed_and_decomposed_names_are_equal() -> None:
    assert canonical("cafe\u0301.jpg") == canonical("caf\u00e9.jpg")
    assert canonical("\u1112\u1161\u11ab") == canonical("\ud55c"), "Korean syllables too"
    assert canonical("\udcff.jpg") == "\udcff.jpg"
