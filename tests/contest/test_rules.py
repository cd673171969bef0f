"""The contest's rules: each is broken on its own and found; and `monetize check`."""

import io
import json
import os
import random
import struct
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest
from helpers import Run
from PIL import Image

from monetize.contest.rules import Checked, Rule, check
from monetize.errors import InputError, UsageError
from monetize.progress import Reporter

COUNT = "7,000 to 10,000 pictures"
PIXELS = "256 × 256 pixels"


def picture(
    seed: int = 0, size: tuple[int, int] = (256, 256), mode: str = "RGB", kind: str = "JPEG"
) -> bytes:
    """A picture of coarse noise, another for each seed."""
    noise = Image.frombytes("RGB", (8, 8), random.Random(seed).randbytes(192))
    file = io.BytesIO()
    noise.resize(size, Image.Resampling.BICUBIC).convert(mode).save(file, kind)
    return file.getvalue()


GOOD = picture()


def pack(folder: Path, *members: tuple[str, bytes], name: str = "images.zip") -> Path:
    path = folder / name
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")  # of duplicate names
        for member, data in members:
            archive.writestr(member, data)
    return path


def patch(path: Path, old: bytes, new: bytes) -> None:
    """Change some bytes of a file that occur in it once."""
    data = path.read_bytes()
    assert data.count(old) == 1
    path.write_bytes(data.replace(old, new))


def broken(checked: Checked) -> dict[str, str]:
    """The rules that are not met, but for the number of pictures, with their details."""
    return {r.name: r.detail for r in checked.rules if not r.met and r.name != COUNT}


def detail(checked: Checked, name: str) -> str:
    details = {each.name: each.detail for each in checked.rules}
    details |= {each.name: each.detail for each in checked.notes}
    return details[name]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zip that the contest would take: one small picture under 7,000 names."""
    return pack(tmp_path_factory.mktemp("full"), *((f"{i:04}.jpg", GOOD) for i in range(7_000)))


def test_a_good_zip_meets_all_rules(cli: Run, full: Path) -> None:
    result = cli("check", full)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "✓ named images.zip",
        "✓ 7,000 to 10,000 pictures: 7,000",
        "✓ at the root: all 7,000",
        "✓ JPEG: all 7,000",
        "✓ 256 × 256 pixels: all 7,000",
        "✓ RGB: all 7,000",
        "✓ can be decoded: all 7,000",
        "✓ whole: all 7,000",
        "· black or nearly uniform: none",
        "· identical to another: 7,000 in 1 group: 0000.jpg, 0001.jpg, 0002.jpg and 6997 more",
        f"· size: {full.stat().st_size / 1e6:.1f}MB",
        "The contest would take it.",
    ]
    assert "Checking: 7,000 pictures" in result.stderr


@pytest.mark.parametrize(
    ("name", "data", "rule", "found"),
    [
        ("b.jpg", picture(1, size=(512, 256)), PIXELS, "1 of 2 is not: b.jpg (512 × 256)"),
        ("b.jpg", picture(1, mode="L"), "RGB", "1 of 2 is not: b.jpg (grey)"),
        ("b.jpg", picture(1, mode="CMYK"), "RGB", "1 of 2 is not: b.jpg (CMYK)"),
        ("b.jpg", picture(1, kind="PNG"), "JPEG", "1 of 2 is not: b.jpg (PNG)"),
        (
            "sub/b.jpg",
            picture(1),
            "at the root",
            "1 of 2 is out of place: sub/b.jpg (in a folder)",
        ),
        ("b.txt", b"", "at the root", "1 of 2 is out of place: b.txt (not a picture)"),
        ("b/", b"", "at the root", "1 of 2 is out of place: b/ (a folder)"),
        ("a.jpg", picture(1), "at the root", "1 of 2 is out of place: a.jpg (2 of this name)"),
        (
            "__MACOSX/._b.jpg",
            b"x",
            "at the root",
            "1 of 2 is out of place: __MACOSX/._b.jpg (in a folder)",
        ),
        (
            "b.jpg",
            picture(1)[:-3000],
            "can be decoded",
            "1 of 2 cannot: b.jpg (image file is truncated",
        ),
    ],
)
def test_each_rule_is_broken_alone_and_found(
    tmp_path: Path, name: str, data: bytes, rule: str, found: str
) -> None:
    faults = broken(check(pack(tmp_path, ("a.jpg", GOOD), (name, data)), Reporter()))
    assert set(faults) == {rule}
    assert faults[rule].startswith(found)


def test_transparency_is_found_whatever_the_ending(tmp_path: Path) -> None:
    path = pack(tmp_path, ("a.jpg", GOOD), ("b.jpg", picture(1, mode="RGBA", kind="PNG")))
    assert broken(check(path, Reporter())) == {
        "JPEG": "1 of 2 is not: b.jpg (PNG)",
        "RGB": "1 of 2 is not: b.jpg (RGBA)",
    }


def test_the_name_and_the_number_are_rules(tmp_path: Path) -> None:
    path = pack(tmp_path, ("a.jpg", GOOD), name="holidays.zip")
    assert [rule for rule in check(path, Reporter()).rules if not rule.met] == [
        Rule("named images.zip", False, "it is holidays.zip"),
        Rule(COUNT, False, "1"),
    ]


def test_a_flipped_byte_is_found_by_its_crc(tmp_path: Path) -> None:
    path = pack(tmp_path, ("a.jpg", GOOD), ("b.jpg", picture(1)))
    middle = picture(1)[2000:2040]
    patch(path, middle, bytes([middle[0] ^ 1]) + middle[1:])
    checked = check(path, Reporter())
    assert broken(checked) == {"whole": "1 of 2 is not: b.jpg (its CRC differs)"}
    assert detail(checked, "RGB") == "all 1 that can be told, of 2"


def test_an_encrypted_member_is_told(tmp_path: Path) -> None:
    path = pack(tmp_path, ("a.jpg", GOOD), ("b.jpg", picture(1)))
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert broken(check(path, Reporter())) == {"whole": "1 of 2 is not: b.jpg (encrypted)"}


def test_a_member_that_claims_to_be_huge_is_not_unpacked(tmp_path: Path) -> None:
    path = pack(tmp_path, ("a.jpg", GOOD), ("b.jpg", picture(1)))
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.rindex(b"PK\x01\x02") + 24, 4_000_000_000)
    path.write_bytes(data)
    assert broken(check(path, Reporter())) == {
        "can be decoded": "1 of 2 cannot: b.jpg (not tried: claims to be 4.00GB)"
    }


def test_a_member_that_unpacks_to_more_than_it_claims_is_told(tmp_path: Path) -> None:
    path = tmp_path / "images.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", GOOD)
        archive.writestr("b.jpg", bytes(30_000_000))
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.rindex(b"PK\x01\x02") + 24, 1000)
    path.write_bytes(data)
    assert broken(check(path, Reporter())) == {"whole": "1 of 2 is not: b.jpg (its CRC differs)"}


@pytest.mark.parametrize("side", [5_000, 20_000])
def test_a_picture_of_too_many_pixels_is_not_decoded(tmp_path: Path, side: int) -> None:
    """With 20,000 × 20,000 Pillow itself refuses."""
    file = io.BytesIO()
    Image.new("1", (side, side)).save(file, "PNG")
    path = pack(tmp_path, ("a.jpg", GOOD), ("b.jpg", file.getvalue()))
    assert "b.jpg (not tried: " in broken(check(path, Reporter()))["can be decoded"]


def test_what_is_no_picture_inside_breaks_no_other(tmp_path: Path) -> None:
    path = pack(tmp_path, ("a.jpg", GOOD), ("b.jpg", b"hello"), ("c.jpg", b""))
    told = "b.jpg (not a picture), c.jpg (empty)"
    assert broken(check(path, Reporter())) == {
        "JPEG": f"2 of 3 are not: {told}",
        "can be decoded": f"2 of 3 cannot: {told}",
    }


def test_black_uniform_and_identical_pictures_are_noted(tmp_path: Path) -> None:
    colours = {"black.jpg": "black", "grey.jpg": "gray"}
    members = [("a.jpg", GOOD), ("b.jpg", picture(1)), ("c.jpg", GOOD)]
    for name, colour in colours.items():
        file = io.BytesIO()
        Image.new("RGB", (256, 256), colour).save(file, "JPEG")
        members.append((name, file.getvalue()))
    checked = check(pack(tmp_path, *members), Reporter())
    assert broken(checked) == {}
    dull, identical, size = checked.notes
    assert dull.detail == "2: black.jpg, grey.jpg"
    assert dull.data == {"black": ["black.jpg"], "uniform": ["grey.jpg"]}
    assert identical.detail == "2 in 1 group: a.jpg, c.jpg"
    assert identical.data == {"groups": [["a.jpg", "c.jpg"]]}
    assert size.data == {"bytes": (tmp_path / "images.zip").stat().st_size}


def test_the_same_pixels_in_other_bytes_are_identical(tmp_path: Path) -> None:
    commented = GOOD[:2] + b"\xff\xfe\x00\x04hi" + GOOD[2:]
    checked = check(pack(tmp_path, ("a.jpg", GOOD), ("b.jpg", commented)), Reporter())
    assert detail(checked, "identical to another") == "2 in 1 group: a.jpg, b.jpg"


def test_an_empty_zip_meets_no_rule_of_pictures(cli: Run, tmp_path: Path) -> None:
    result = cli("check", pack(tmp_path))
    assert result.exit_code == 1
    assert "✗ whole: there is no picture" in result.stdout
    assert result.stdout.splitlines()[-1] == ("The contest would refuse it: 7 rules are not met.")


def test_what_is_no_whole_zip_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "images.zip"
    path.write_bytes(b"hello")
    with pytest.raises(InputError, match=r"images\.zip: not a zip: give one such as"):
        check(path, Reporter())
    whole = pack(tmp_path, ("a.jpg", GOOD)).read_bytes()
    path.write_bytes(whole[:-40])
    with pytest.raises(InputError, match=r"a zip that is cut short or damaged: copy, "):
        check(path, Reporter())
    with pytest.raises(UsageError, match="this is a folder: give a zip"):
        check(tmp_path, Reporter())


def test_a_missing_zip_is_a_wrong_use(cli: Run, tmp_path: Path) -> None:
    result = cli("check", tmp_path / "images.zip")
    assert result.exit_code == 2
    assert f"Error: {tmp_path / 'images.zip'}: there is no such file: give" in result.stderr


def test_the_json_form_has_rules_notes_and_counts(cli: Run, tmp_path: Path) -> None:
    path = pack(tmp_path, ("a.jpg", GOOD), ("b.jpg", GOOD))
    result = cli("check", path, "--json", "--quiet")
    assert result.exit_code == 1
    assert result.stderr == ""
    values: dict[str, Any] = json.loads(result.stdout)
    assert (values["file"], values["accepted"], values["pictures"]) == (str(path), False, 2)
    assert values["rules"][1] == {"name": COUNT, "met": False, "detail": "2"}
    assert values["notes"][1]["data"] == {"groups": [["a.jpg", "b.jpg"]]}


@pytest.mark.parametrize(
    ("encoding", "line"),
    [
        ("ascii", r"NOT 256 x 256 pixels: 1 of 1 is not: \xe9\u96ea.jpg (8 x 8)"),
        ("cp1252", r"NOT 256 × 256 pixels: 1 of 1 is not: é\u96ea.jpg (8 × 8)"),
        ("utf-8", "✗ 256 × 256 pixels: 1 of 1 is not: é雪.jpg (8 × 8)"),
    ],
)
def test_a_stream_without_the_signs_gets_others(tmp_path: Path, encoding: str, line: str) -> None:
    path = pack(tmp_path, ("é雪.jpg", picture(size=(8, 8))))
    done = subprocess.run(
        [sys.executable, "-m", "monetize", "check", str(path)],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert line in done.stdout.decode(encoding).splitlines()


# at the end of `monetize run`


def test_run_ends_with_it_and_keeps_its_exit_code(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    result = run_job(photos, tmp_path / "holidays.zip")
    assert result.exit_code == 0, result.stderr
    *_, contest, done = result.stderr.splitlines()
    assert contest.startswith("The contest wants 7,000 to 10,000 pictures, so this is no entry")
    assert done.startswith("Done: 6 paintings, ")
    assert result.stdout == ""


def test_run_shows_every_rule_of_an_entry(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monetize.contest.rules.CONTEST_COUNT", range(5, 10))
    result = run_job(photos, tmp_path / "paintings.zip")
    assert result.exit_code == 0, result.stderr
    lines = result.stderr.splitlines()
    start = lines.index("As an entry to the contest:")
    assert lines[start + 1] == "  ✗ named images.zip: it is paintings.zip"
    assert lines[start + 3] == "  ✓ at the root: all 6"
    assert lines[-2] == "  The contest would refuse it: 1 rule is not met."


def test_run_tells_of_black_paintings(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    black = io.BytesIO()
    Image.new("RGB", (64, 64)).save(black, "JPEG")
    monkeypatch.setattr("monetize.job.executors.local.to_jpeg", lambda *_: black.getvalue())
    result = run_job(photos, tmp_path / "holidays.zip")
    assert "Black or nearly uniform: 6: photo0.jpg" in result.stderr


def test_a_finished_run_stays_finished_if_the_check_is_not(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> Checked:
        raise InputError("a.zip: cannot be read: the drive is gone")

    def interrupted(*_: object) -> Checked:
        raise KeyboardInterrupt

    monkeypatch.setattr("monetize.contest.rules.check", lost)
    result = run_job(photos, tmp_path / "a.zip")
    assert result.exit_code == 0
    assert "Warning: not checked: a.zip: cannot be read: the drive is gone" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("Done: 6 paintings, ")
    monkeypatch.setattr("monetize.contest.rules.check", interrupted)
    result = run_job(photos, tmp_path / "b.zip")
    assert result.exit_code == 130
    assert f"{tmp_path / 'b.zip'} is done; monetize check" in result.stderr
