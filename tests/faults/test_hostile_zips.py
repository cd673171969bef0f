"""Zips made to fill the memory, to hang or to crash, read by every command that reads zips."""

import io
import json
import random
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import Run
from PIL import Image

from monetize.contest.rules import CheckResult, check
from monetize.errors import InputError
from monetize.images.color_transfer import ColorStatistics
from monetize.images.image_sets import ImageSet
from monetize.progress import Reporter


def image_bytes(seed: int = 0, kind: str = "JPEG") -> bytes:
    small = Image.frombytes("RGB", (8, 8), random.Random(seed).randbytes(192))
    file = io.BytesIO()
    small.resize((64, 64)).save(file, kind)
    return file.getvalue()


GOOD = image_bytes()
LAST_ENTRY = b"PK\x01\x02"


def pack(path: Path, name: str, data: bytes, method: int = zipfile.ZIP_STORED) -> Path:
    """A zip of a good image and another member."""
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.jpg", GOOD)
        archive.writestr(name, data)
    return path


def patch_entry(path: Path, offset: int, form: str, value: int) -> None:
    """Change a field of the last member, both in its own header and in the list of members."""
    data = bytearray(path.read_bytes())
    struct.pack_into(form, data, data.rindex(LAST_ENTRY) + offset, value)
    if offset in (8, 10):  # flags and method, which the member's own header repeats
        struct.pack_into(form, data, data.rindex(b"PK\x03\x04") + offset - 2, value)
    path.write_bytes(data)


def claimed_bomb(path: Path) -> None:
    patch_entry(pack(path, "b.jpg", GOOD), 24, "<I", 4_000_000_000)


def real_bomb(path: Path) -> None:
    pack(path, "b.jpg", bytes(120_000_000), zipfile.ZIP_DEFLATED)


def lying_bomb(path: Path) -> None:
    real_bomb(path)
    patch_entry(path, 24, "<I", 1000)


def pixel_bomb(path: Path) -> None:
    file = io.BytesIO()
    Image.new("1", (20_000, 9_000)).save(file, "PNG")
    pack(path, "b.png", file.getvalue())


def encrypted(path: Path) -> None:
    patch_entry(pack(path, "b.jpg", GOOD), 8, "<H", 1)


def unknown_compression(path: Path) -> None:
    patch_entry(pack(path, "b.jpg", GOOD), 10, "<H", 99)


def damaged(method: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        pack(path, "b.jpg", random.Random(1).randbytes(5000) + bytes(5000), method)
        data = bytearray(path.read_bytes())
        middle = data.rindex(b"b.jpg", 0, data.index(LAST_ENTRY)) + 300
        data[middle : middle + 40] = bytes(40)
        path.write_bytes(data)

    return make


def lost_member(path: Path) -> None:
    patch_entry(pack(path, "b.jpg", GOOD), 42, "<I", 5)


def eps(path: Path) -> None:
    pack(path, "b.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n")


HOSTILE: dict[str, tuple[Callable[[Path], None], str]] = {
    "claims 4 GB": (claimed_bomb, "claims to be 4.00GB"),
    "unpacks to 120 MB": (real_bomb, "claims to be 120MB"),
    "unpacks to more than it claims": (lying_bomb, "CRC mismatch"),
    "180 million pixels": (pixel_bomb, "pixels"),
    "encrypted": (encrypted, "encrypted"),
    "unknown compression": (unknown_compression, "compression"),
    "damaged deflate": (damaged(zipfile.ZIP_DEFLATED), ""),
    "damaged bzip2": (damaged(zipfile.ZIP_BZIP2), ""),
    "damaged lzma": (damaged(zipfile.ZIP_LZMA), ""),
    "a member that is elsewhere": (lost_member, ""),
    "EPS": (eps, "an image"),
}


@pytest.fixture(params=HOSTILE, scope="module")
def hostile(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    make, why = HOSTILE[request.param]
    path = tmp_path_factory.mktemp("hostile") / "images.zip"
    make(path)
    return path, why


def faults(result: CheckResult) -> str:
    return " ".join(rule.detail for rule in result.rules if not rule.met)


def test_check_reports_the_member_and_needs_little_memory(hostile: tuple[Path, str]) -> None:
    path, why = hostile
    tracemalloc.start()
    start = time.monotonic()
    found = faults(check(path, Reporter()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "b." in found and why in found
    assert peak < 120_000_000
    assert time.monotonic() - start < 5


def test_score_and_palette_name_the_member(hostile: tuple[Path, str]) -> None:
    path, why = hostile
    with pytest.raises(InputError, match=r"b\.(jpg|png) in .*images\.zip: ") as caught:
        list(ImageSet.of(path).map(ColorStatistics.of))
    assert why in str(caught.value)


@pytest.mark.parametrize(
    "name", ["//x.jpg", "/x.jpg", "../x.jpg", "a//x.jpg", "./x.jpg", "\\x.jpg"]
)
def test_odd_names_do_not_hang(tmp_path: Path, name: str) -> None:
    path = pack(tmp_path / "images.zip", name, image_bytes(1))
    images = ImageSet.of(path)
    assert len(list(images.images())) == 2
    assert len(images.digest()) == 64
    assert check(path, Reporter()).images == 2


def test_a_bomb_of_many_members_is_refused_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "images.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(200):
            archive.writestr(f"{i}.jpg", b"")
    data = path.read_bytes()
    start = data.index(LAST_ENTRY)
    parts = data[start:].split(LAST_ENTRY)
    claimed = [part[:20] + struct.pack("<I", 90_000_000) + part[24:] for part in parts[1:]]
    path.write_bytes(data[:start] + b"".join(LAST_ENTRY + part for part in claimed))
    with pytest.raises(InputError, match=r"claims to contain 18\.0GB, which no zip of images does"):
        check(path, Reporter())


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_only_the_start_of_a_large_member_that_is_not_an_image_is_read(
    tmp_path: Path, method: int
) -> None:
    path = pack(tmp_path / "images.zip", "b.jpg", bytes(90_000_000), method)
    tracemalloc.start()
    found = faults(check(path, Reporter()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "b.jpg (not an image in a supported format)" in found
    assert peak < 5_000_000


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unusual_compression_is_read(tmp_path: Path, method: int) -> None:
    path = pack(tmp_path / "images.zip", "b.jpg", image_bytes(1), method)
    assert len(list(ImageSet.of(path).images())) == 2


def test_damage_anywhere_in_a_zip_is_an_error_and_never_a_crash(tmp_path: Path) -> None:
    """Two hundred zips with some bytes changed are read, or refused with a reason."""
    path = tmp_path / "images.zip"
    whole = pack(path, "b.jpg", image_bytes(1), zipfile.ZIP_DEFLATED).read_bytes()
    random_bytes = random.Random(0)
    refused = 0
    for _ in range(200):
        changed = bytearray(whole)
        for _ in range(random_bytes.randint(1, 8)):
            end = random_bytes.choice([60, len(whole)])
            changed[-random_bytes.randrange(1, end)] = random_bytes.randrange(256)
        path.write_bytes(changed)
        try:
            check(path, Reporter())
            list(ImageSet.of(path).images())
        except InputError:
            refused += 1
    assert refused > 50


@pytest.mark.parametrize("case", ["unpacks to 120 MB", "encrypted", "EPS"])
def test_gallery_names_the_painting(
    run_job: Run, cli: Run, photos: Path, tmp_path: Path, case: str
) -> None:
    out = tmp_path / "images.zip"
    assert run_job(photos, out, "--limit", 1).exit_code == 0
    HOSTILE[case][0](out)
    table = out.with_suffix(".csv")
    table.write_text(table.read_text().replace("photo0.jpg,photo0.jpg", "photo0.jpg,b.jpg"))
    result = cli("gallery", out)
    assert result.exit_code == 1
    assert "Error: b.jpg in " in result.stderr and HOSTILE[case][1] in result.stderr


def test_check_ends_normally_for_the_command_line(cli: Run, hostile: tuple[Path, str]) -> None:
    result = cli("check", hostile[0], "--json", "--quiet")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["accepted"] is False
