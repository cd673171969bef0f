import csv
from pathlib import Path

import pytest

from monetize.captioning.caption_table import captions_to_csv, match_photos, read_captions
from monetize.errors import InputError


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "captions.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "photo,caption\na.jpg,a lake\nb.jpg,a tree\n",
        "file_name,text\na.jpg,a lake\nb.jpg,a tree\n",
        "image,caption\na.jpg,a lake\nb.jpg,a tree\n",
        "Photo , Caption\r\na.jpg,a lake\r\nb.jpg,a tree",
        "caption,score,photo\na lake,1,a.jpg\na tree,2,b.jpg\n",
        "\ufeffphoto,caption\na.jpg,  a   lake \n\nb.jpg,a tree\n",
        "photo,caption\na.jpg,a lake\na.jpg,a lake\nb.jpg,a tree\n",
        "photo;caption\r\na.jpg;a lake\r\nb.jpg;a tree\r\n",
        'sep=;\r\n"photo";"caption"\r\n"a.jpg";"a lake"\r\nb.jpg;a tree\r\n',
        "photo\tcaption\na.jpg\ta lake\nb.jpg\ta tree",
        "photo|caption\na.jpg|a lake\nb.jpg|a tree",
        "photo,caption\ra.jpg,a lake\rb.jpg,a tree\r",
        "\n\nphoto,caption,,\na.jpg,a lake,,\nb.jpg,a tree,,,\n,,,\n",
    ],
)
def test_tables_from_various_programs_are_read(tmp_path: Path, text: str) -> None:
    assert read_captions(write(tmp_path, text)) == {"a.jpg": "a lake", "b.jpg": "a tree"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the first line must name the columns 'photo'"),
        ("a.jpg,a lake\n", "the first line must name the columns .* it is 'a.jpg,a lake'"),
        ("photo,caption\na.jpg,a lake, blue\n", "line 2: 3 columns, .* put quotes around"),
        ("photo,caption\na.jpg\n", "line 2: 1 columns"),
        ("photo;caption\na.jpg;a lake; blue\n", "line 2: 3 columns, .* a caption with a ';'"),
        ("photo caption\n", "separated by a comma; it is 'photo caption'"),
        ("photo,caption\na.jpg,a\0b\n", "not a text file"),
        ("photo,caption\na.jpg," + "x" * 200_000, "line 2: not valid CSV: field larger"),
        ("photo,caption\na.jpg,x\na.jpg,y\n", "line 3: a second, different caption for 'a.jpg'"),
        ('photo,caption\na.jpg,"x\n', "not valid CSV"),
    ],
)
def test_a_broken_table_is_refused_with_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_captions(write(tmp_path, text))


def test_any_names_survive_a_round_trip(tmp_path: Path) -> None:
    captions = {
        "two\nlines.jpg": "a, b",
        "old\rmac.jpg": "x",
        "été.jpg": 'say "x"',
        "\udcff.jpg": "",
        "雪.jpg": "ü",
    }
    path = tmp_path / "captions.csv"
    path.write_bytes(captions_to_csv(captions))
    assert read_captions(path) == captions


def test_other_encodings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "captions.csv"
    path.write_bytes("photo,caption\na.jpg,un café\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"line 2: .* is not valid UTF-8: save the file as UTF-8"):
        read_captions(path)
    path.write_bytes("photo,caption\na.jpg,un café\n".encode("utf-16-le"))
    with pytest.raises(InputError, match="in another encoding: save the file as UTF-8"):
        read_captions(path)


FORMULAS = {"=a.jpg": "=1+1", "@b/c.jpg": "+x", "-.jpg": "@x -y", "'=.jpg": "'-1", "p.jpg": "-1"}


def test_captions_that_look_like_formulas_are_escaped_and_come_back(tmp_path: Path) -> None:
    path = tmp_path / "captions.csv"
    path.write_bytes(captions_to_csv(FORMULAS))
    assert read_captions(path) == FORMULAS
    with path.open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert [cell for cell in cells if cell[:1] in "=+-@"] == ["-1"], "a number is no formula"


def test_a_caption_that_somebody_wrote_as_a_formula_is_read_as_it_is(tmp_path: Path) -> None:
    path = write(tmp_path, "photo,caption\n=a.jpg,=1+1\n")
    assert read_captions(path) == {"=a.jpg": "=1+1"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_determines_the_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "captions.csv"
    path.write_bytes("photo,caption\na.jpg,un café\n".encode(encoding))
    assert read_captions(path) == {"a.jpg": "un café"}


def test_a_table_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing\.csv: cannot be read: No such file"):
        read_captions(tmp_path / "missing.csv")


COMPOSED, DECOMPOSED = "caf\u00e9.jpg", "cafe\u0301.jpg"


@pytest.mark.parametrize(("in_table", "on_disk"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)])
def test_photos_are_matched_in_any_unicode_form(in_table: str, on_disk: str) -> None:
    captions = {in_table: "a café", "a.jpg": "a lake", "other.jpg": "unused"}
    assert match_photos(captions, [on_disk, "a.jpg", "b.jpg"]) == {
        on_disk: "a café",
        "a.jpg": "a lake",
        "other.jpg": "unused",
    }


def test_a_photo_with_its_own_caption_is_not_matched_with_another() -> None:
    both = {COMPOSED: "one", DECOMPOSED: "two"}
    assert match_photos(both, [COMPOSED, DECOMPOSED]) == both
    assert match_photos(both, [COMPOSED]) == both
    assert match_photos({COMPOSED: "one"}, [COMPOSED, DECOMPOSED]) == {COMPOSED: "one"}


def test_two_captions_of_one_photo_are_refused() -> None:
    forms = {"\u01d8.jpg": "one", "u\u0308\u0301.jpg": "two"}
    with pytest.raises(InputError, match="two different captions for the photo"):
        match_photos(forms, ["\u00fc\u0301.jpg"])
