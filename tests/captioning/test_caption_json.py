"""Captions as JSON, from several programs."""

import json
import random
from pathlib import Path

import pytest
from hostile_json import VALUES, hostile

from monetize.captioning.caption_json import read_json_captions
from monetize.errors import InputError

EXPECTED = {"a.jpg": "a lake", "sub/b.jpg": "a tree"}
COCO = {
    "info": {"year": 2014},
    "images": [{"id": 7, "file_name": "a.jpg"}, {"id": 8, "file_name": "sub/b.jpg"}],
    "annotations": [
        {"id": 1, "image_id": 8, "caption": "a tree\n"},
        {"id": 2, "image_id": 7, "caption": "a lake"},
    ],
}


def write(tmp_path: Path, text: str | bytes, name: str = "captions.json") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("metadata.jsonl", '{"file_name": "a.jpg", "text": "a lake"}\r\n\n'
                           '{"text": " a  tree", "file_name": "sub/b.jpg", "width": 5}'),
        ("metadata.JSONL", '\ufeff{"image": "a.jpg", "caption": "a lake"}\n'
                           '{"photo": "sub/b.jpg", "caption": "a tree"}\n'),
        ("a.json", '[{"photo": "a.jpg", "caption": "a lake"}, {"photo": "c.jpg", "error": "x"}, '
                   '{"photo": "sub/b.jpg", "caption": "a tree"}]'),
        ("a.json", '{"a.jpg": "a lake", "sub/b.jpg": "a tree"}'),
        ("a.json", json.dumps(COCO)),
        ("a.json", json.dumps(COCO).encode("utf-16")),
    ],
)  # fmt: skip
def test_captions_from_various_programs_are_read(
    tmp_path: Path, name: str, text: str | bytes
) -> None:
    assert read_json_captions(write(tmp_path, text, name)) == (EXPECTED, "")


def test_the_first_of_several_coco_captions_is_used_and_noted(tmp_path: Path) -> None:
    more = [*COCO["annotations"], {"image_id": 7, "caption": "water"}]
    path = write(tmp_path, json.dumps({**COCO, "annotations": more}))
    assert read_json_captions(path) == (
        EXPECTED,
        "3 captions of 2 photos: the first of each is used",
    )


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", "[", r"a\.json: not valid JSON: Expecting value"),
        ("a.jsonl", '{"photo": "a", "caption": "b"}\n{', r"a\.jsonl, line 2: not valid JSON"),
        ("a.json", "7", "7 is not a table of captions: write a list of objects"),
        ("a.json", "[7]", "entry 1: 7 is not an object"),
        ("a.json", '[{"text": "b"}]', "entry 1: there is none of 'photo', .*; it has 'text'"),
        ("a.json", '[{"photo": "a"}]', "entry 1: there is none of 'caption', 'text'; it has 'ph"),
        ("a.json", '[{"photo": 7, "caption": "b"}]', "entry 1: 7 is not the name of a photo"),
        ("a.json", '{"a.jpg": ["b"]}', r"key 'a.jpg': the caption \['b'\] is not text"),
        ("a.json", r'{"a.jpg": "\ud800"}', r"the caption \\ud800 is not valid text"),
        ("a.json", r'{"a.jpg": "\u0000"}', r"the caption \\x00 is not valid text"),
        ("a.jsonl", '{"photo": "a", "text": "b"}\n{"photo": "a", "text": "c"}',
         "line 2: a second, different caption for 'a'"),
        ("a.json", "[]", "there is no caption in it"),
        ("a.json", '{"annotations": []}', "its 'images' are not a list, as in COCO's captions"),
        ("a.json", '{"images": [], "annotations": []}', "there is no caption in its annotations"),
        ("a.json", '{"images": [{"id": 1, "file_name": "a"}, {"id": 1, "file_name": "b"}], '
                   '"annotations": []}', "images 2: a second image with the id 1"),
        ("a.json", '{"images": [], "annotations": [{"image_id": 3, "caption": "b"}]}',
         "annotations 1: no image has the id 3"),
        ("a.json", '{"images": [{"id": 3, "file_name": "a"}], "annotations": [{"image_id": 3}]}',
         r"annotations 1: there is no caption: give COCO's captions_\*.json"),
        ("a.json", "caf\xe9".encode("latin-1"), "not valid UTF-8 .*: save the file"),
    ],
)  # fmt: skip
def test_other_json_is_refused_with_the_place(
    tmp_path: Path, name: str, text: str | bytes, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_json_captions(write(tmp_path, text, name))


@pytest.mark.parametrize("name", ["captions.json", "captions.jsonl"])
def test_hostile_json_is_refused_or_read_as_text(tmp_path: Path, name: str) -> None:
    for what, data in hostile(json.dumps(COCO).encode(), 60):
        try:
            captions, _ = read_json_captions(write(tmp_path, data, name))
        except InputError as error:
            assert len(str(error)) < 1000, what
        else:
            assert all(isinstance(text, str) for text in captions.values()), what


def test_hostile_records_are_refused_or_read_as_text(tmp_path: Path) -> None:
    chance = random.Random(0)
    for _ in range(60):
        document = json.loads(json.dumps(COCO))
        entry = chance.choice([*document["images"], *document["annotations"]])
        entry[chance.choice(list(entry))] = chance.choice(VALUES)
        path = write(tmp_path, json.dumps(document))
        try:
            captions, _ = read_json_captions(path)
        except InputError as error:
            assert len(str(error)) < 1000
        else:
            assert all(isinstance(text, str) for text in captions.values())


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing\.json: cannot be read: No such file"):
        read_json_captions(tmp_path / "missing.json")
