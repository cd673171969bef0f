"""The contest's rules: each violation is found; and `monetize check`."""

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

from monetize.contest.rules import CheckResult, Rule, check
from monetize.errors import InputError, UsageError
from monetize.progress import Reporter

COUNT = "7,000 to 10,000 images"
PIXELS = "256 × 256 pixels"


def image_bytes(
    seed: int = 0, size: tuple[int, int] = (256, 256), mode: str = "RGB", fmt: str = "JPEG"
) -> bytes:
    """An image of coarse noise, different for each seed."""
    noise = Image.frombytes("RGB", (8, 8), random.Random(seed).randbytes(192))
    file = io.BytesIO()
    noise.resize(size, Image.Resampling.BICUBIC).convert(mode).save(file, fmt)
    return file.getvalue()


GOOD = image_bytes()


def pack(folder: Path, *members: tuple[str, bytes], name: str = "images.zip") -> Path:
    path = folder / name
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")  # of duplicate names
        for member, data in members:
            archive.writestr(member, data)
    return path


def patch(path: Path, old: bytes, new: bytes) -> None:
    """Replace bytes that occur once in a file."""
    data = path.read_bytes()
    assert data.count(old) == 1
    path.write_bytes(data.replace(old, new))


def broken(checked: CheckResult) -> dict[str, str]:
    """The rules that are not met, except the number of images, with their details."""
    return {r.name: r.detail for r in checked.rules if not r.met and r.name != COUNT}


def detail(checked: CheckResult, name: str) -> str:
    details = {each.name: each.detail for each in checked.rules}
    details |= {each.name: each.detail for each in checked.notes}
    return details[name]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zip that the contest would accept: one small image under 7,000 names."""
    return pack(tmp_path_factory.mktemp("full"), *((f"{i:04}.jpg", GOOD) for i in range(7_000)))


def test_a_good_zip_meets_all_rules(cli: Run, full: Path) -> None:
    result = cli("check", full)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "✓ named images.zip",
        "✓ 7,000 to 10,000 images: 7,000",
        "✓ at the root: all 7,000",
        "✓ JPEG: all 7,000",
        "✓ 256 × 256 pixels: all 7,000",
        "✓ RGB: all 7,000",
        "✓ can be decoded: all 7,000",
        "✓ intact: all 7,000",
        "· black or nearly uniform: none",
        "· identical to another: 7,000 in 1 group: 0000.jpg, 0001.jpg, 0002.jpg and 6997 more",
        f"· size: {full.stat().st_size / 1e6:.1f}MB",
        "The contest would accept it.",
    ]
    assert "Checking: 7,000 images" in result.stderr


@pytest.mark.parametrize(
    ("name", "data", "rule", "found"),
    [
        ("b.jpg", image_bytes(1, size=(512, 256)), PIXELS, "1 of 2 is not: b.jpg (512 × 256)"),
        ("b.jpg", image_bytes(1, mode="L"), "RGB", "1 of 2 is not: b.jpg (gray)"),
        ("b.jpg", image_bytes(1, mode="CMYK"), "RGB", "1 of 2 is not: b.jpg (CMYK)"),
        ("b.jpg", image_bytes(1, fmt="PNG"), "JPEG", "1 of 2 is not: b.jpg (PNG)"),
        (
            "sub/b.jpg",
            image_bytes(1),
            "at the root",
            "1 of 2 is misplaced: sub/b.jpg (in a folder)",
        ),
        ("b.txt", b"", "at the root", "1 of 2 is misplaced: b.txt (not an image)"),
        ("b/", b"", "at the root", "1 of 2 is misplaced: b/ (a folder)"),
        ("a.jpg", image_bytes(1), "at the root", "1 of 2 is misplaced: a.jpg (2 with this name)"),
        (
            "__MACOSX/._b.jpg",
            b"x",
            "at the root",
            "1 of 2 is misplaced: __MACOSX/._b.jpg (in a folder)",
        ),
        (
            "b.jpg",
            image_bytes(1)[:-3000],
            "can be decoded",
            "1 of 2 cannot: b.jpg (image file is truncated",
        ),
    ],
)
def test_each_violation_is_found_alone(
    tmp_path: Path, name: str, data: bytes, rule: str, found: str
) -> None:
    faults = broken(check(pack(tmp_path, ("a.jpg", GOOD), (name, data)), Reporter()))
    assert set(faults) == {rule}
    assert faults[rule].startswith(found)


def test_transparency_is_found_under_any_extension(tmp_path: Path) -> None:
    path = pack(tmp_path, ("a.jpg", GOOD), ("b.jpg", image_bytes(1, mode="RGBA", fmt="PNG")))
    assert broken(check(path, Reporter())) == {
        "JPEG": "1 of 2 is not: b.jpg (PNG)",
        "RGB": "1 of 2 is not: b.jpg (RGBA)",
    }


def test_the_name_and_the_count_are_rules(tmp_path: Path) -> None:
    path = pack(tmp_path, ("a.jpg", GOOD), name="holidays.zip")
    assert [rule for rule in check(path, Reporter()).rules if not rule.met] == [
        Rule("named images.zip", False, "it is holidays.zip"),
        Rule(COUNT, False, "1"),
    ]


def test_a_flipped_byte_is_found_by_its_crc(tmp_path: Path) -> None:
    path = pack(tmp_path, ("a.jpg", GOOD), ("b.jpg", image_bytes(1)))
    middle = image_bytes(1)[2000:2040]
    patch(path, middle, bytes([middle[0] ^ 1]) + middle[1:])
    checked = check(path, Reporter())
    assert broken(checked) == {"intact": "1 of 2 is not: b.jpg (CRC mismatch)"}
    assert detail(checked, "RGB") == "all 1 that could be examined, of 2"


def test_an_encrypted_member_is_reported(tmp_path: Path) -> None:
    path = pack(tmp_path, ("a.jpg", GOOD), ("b.jpg", image_bytes(1)))
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert broken(check(path, Reporter())) == {"intact": "1 of 2 is not: b.jpg (encrypted)"}


def test_a_member_that_claims_to_be_huge_is_not_unpacked(tmp_path: Path) -> None:
    path = pack(tmp_path, ("a.jpg", GOOD), ("b.jpg", image_bytes(1)))
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.rindex(b"PK\x01\x02") + 24, 4_000_000_000)
    path.write_bytes(data)
    why = "not tried: claims to be 4.00GB, too large for an image"
    assert broken(check(path, Reporter())) == {"can be decoded": f"1 of 2 cannot: b.jpg ({why})"}


def test_a_member_that_unpacks_to_more_than_it_claims_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "images.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", GOOD)
        archive.writestr("b.jpg", bytes(30_000_000))
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.rindex(b"PK\x01\x02") + 24, 1000)
    path.write_bytes(data)
    assert broken(check(path, Reporter())) == {"intact": "1 of 2 is not: b.jpg (CRC mismatch)"}


@pytest.mark.parametrize("side", [5_000, 20_000])
def test_an_image_with_too_many_pixels_is_not_decoded(tmp_path: Path, side: int) -> None:
    """Pillow itself refuses 20,000 × 20,000."""
    file = io.BytesIO()
    Image.new("1", (side, side)).save(file, "PNG")
    path = pack(tmp_path, ("a.jpg", GOOD), ("b.jpg", file.getvalue()))
    assert "b.jpg (not tried: " in broken(check(path, Reporter()))["can be decoded"]


def test_members_that_are_not_images_break_no_other_rule(tmp_path: Path) -> None:
    path = pack(tmp_path, ("a.jpg", GOOD), ("b.jpg", b"hello"), ("c.jpg", b""))
    faults = "b.jpg (not an image), c.jpg (empty)"
    assert broken(check(path, Reporter())) == {
        "JPEG": f"2 of 3 are not: {faults}",
        "can be decoded": f"2 of 3 cannot: {faults}",
    }


def test_black_uniform_and_identical_images_are_noted(tmp_path: Path) -> None:
    colors = {"black.jpg": "black", "grey.jpg": "gray"}
    members = [("a.jpg", GOOD), ("b.jpg", image_bytes(1)), ("c.jpg", GOOD)]
    for name, color in colors.items():
        file = io.BytesIO()
        Image.new("RGB", (256, 256), color).save(file, "JPEG")
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


def test_an_empty_zip_meets_no_rule_about_images(cli: Run, tmp_path: Path) -> None:
    result = cli("check", pack(tmp_path))
    assert result.exit_code == 1
    assert "✗ intact: no images found" in result.stdout
    assert result.stdout.splitlines()[-1] == "The contest would refuse it: it breaks 7 rules."


def test_a_damaged_zip_is_refused_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "images.zip"
    path.write_bytes(b"hello")
    with pytest.raises(InputError, match=r"images\.zip: not a zip; expected one such as"):
        check(path, Reporter())
    whole = pack(tmp_path, ("a.jpg", GOOD)).read_bytes()
    path.write_bytes(whole[:-40])
    with pytest.raises(InputError, match=r"the zip is truncated or damaged: copy, "):
        check(path, Reporter())
    with pytest.raises(UsageError, match="this is a folder; expected a zip"):
        check(tmp_path, Reporter())


def test_a_missing_zip_is_a_usage_error(cli: Run, tmp_path: Path) -> None:
    result = cli("check", tmp_path / "images.zip")
    assert result.exit_code == 2
    assert f"Error: {tmp_path / 'images.zip'}: no such file; expected" in result.stderr


def test_the_json_form_has_rules_notes_and_counts(cli: Run, tmp_path: Path) -> None:
    path = pack(tmp_path, ("a.jpg", GOOD), ("b.jpg", GOOD))
    result = cli("check", path, "--json", "--quiet")
    assert result.exit_code == 1
    assert result.stderr == ""
    values: dict[str, Any] = json.loads(result.stdout)
    assert (values["file"], values["accepted"], values["images"]) == (str(path), False, 2)
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
def test_symbols_are_replaced_for_streams_that_lack_them(
    tmp_path: Path, encoding: str, line: str
) -> None:
    path = pack(tmp_path, ("é雪.jpg", image_bytes(size=(8, 8))))
    done = subprocess.run(
        [sys.executable, "-m", "monetize", "check", str(path)],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert line in done.stdout.decode(encoding).splitlines()


# at the end of `monetize run`


def test_run_ends_with_the_check_and_keeps_its_exit_code(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    result = run_job(photos, tmp_path / "images.zip")
    assert result.exit_code == 0, result.stderr
    *_, contest, done = result.stderr.splitlines()
    assert contest.startswith(
        "The contest requires 7,000 to 10,000 images, so this is not an entry"
    )
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
    assert lines[-2] == "  The contest would refuse it: it breaks 1 rule."


def test_run_reports_black_paintings(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    black = io.BytesIO()
    Image.new("RGB", (64, 64)).save(black, "JPEG")
    monkeypatch.setattr("monetize.job.executors.chunk_painter.to_jpeg", lambda *_: black.getvalue())
    result = run_job(photos, tmp_path / "holidays.zip")
    assert "Black or nearly uniform: 6: photo0.jpg" in result.stderr


def test_a_finished_run_stays_finished_if_the_check_fails(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> CheckResult:
        raise InputError("a.zip: cannot be read: the drive is gone")

    def interrupted(*_: object) -> CheckResult:
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
