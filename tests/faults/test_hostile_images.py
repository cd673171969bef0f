"""Image files made to start programs, fill the memory or take hours; and metadata in the way."""

import io
import os
import socket
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import Run, Tiny, names
from PIL import Image

from monetize.errors import PhotoError
from monetize.images import decoding
from monetize.images.decoding import open_photo
from monetize.images.limits import MAX_PIXELS
from monetize.images.metadata import count_scans

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n"


NOISE = Image.effect_noise((64, 64), 60).convert("RGB")


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    return open_photo(Path("image"), data)


def test_an_eps_does_not_start_ghostscript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "gs"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (tmp_path / "a.jpg").write_bytes(EPS)
    with pytest.raises(PhotoError, match="supported format: it is an unsupported image"):
        open_photo(tmp_path / "a.jpg")
    assert "started" not in names(tmp_path)


@pytest.mark.parametrize("kind", ["PPM", "ICO", "TGA", "PCX", "JPEG2000", "SGI", "DDS"])
def test_only_formats_of_photos_are_opened(kind: str) -> None:
    with pytest.raises(PhotoError, match="not an image in a supported format"):
        opened(encoded(NOISE, kind))


# Memory


def test_large_images_are_decoded_one_at_a_time() -> None:
    assert 4 * 24_000_000 <= decoding.BUDGET.total < MAX_PIXELS
    block_size = Image.core.get_block_size()  # type: ignore[attr-defined]
    assert block_size > 32 * 2**20, "smaller blocks stay in a thread's heap after they are freed"


def huge_png(data: bytearray) -> None:
    struct.pack_into(">II", data, 16, 30_000, 30_000)
    struct.pack_into(">I", data, 29, zlib.crc32(data[12:29]))


def huge_tiff(data: bytearray) -> None:
    (directory,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, directory)
    for entry in range(directory + 2, directory + 2 + 12 * count, 12):
        if struct.unpack_from("<H", data, entry)[0] in (256, 257):
            struct.pack_into("<HII", data, entry + 2, 4, 1, 30_000)


MAKE_HUGE: dict[str, Callable[[bytearray], None]] = {
    "PNG": huge_png,
    "TIFF": huge_tiff,
    "GIF": lambda data: struct.pack_into("<HH", data, 6, 65_000, 65_000),
    "WEBP": lambda data: struct.pack_into("<I", data, 21, 0x0FFFFFFF),  # 14 bits a side
    "BMP": lambda data: struct.pack_into("<ii", data, 18, 30_000, 30_000),
}


@pytest.mark.parametrize("kind", MAKE_HUGE)
def test_a_pixel_bomb_is_refused_by_its_header(kind: str) -> None:
    data = bytearray(encoded(Image.new("L", (8, 8)), kind, lossless=True))
    MAKE_HUGE[kind](data)
    start = time.monotonic()
    with pytest.raises(PhotoError):
        opened(bytes(data))
    assert time.monotonic() - start < 1


def test_a_tiff_of_huge_tiles_is_refused() -> None:
    """A kilobyte can ask for tiles of gigabytes in an image of any size."""
    tile = zlib.compress(bytes(1000))
    tags = [(256, 4, 64), (257, 4, 64), (258, 3, 8), (259, 3, 8), (262, 3, 1), (277, 3, 1)]
    tags += [(322, 4, 40_000), (323, 4, 40_000), (324, 4, 8), (325, 4, len(tile))]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    data = b"II*\0" + struct.pack("<I", 8 + len(tile)) + tile + directory
    with pytest.raises(PhotoError, match="a TIFF with tiles larger than the image"):
        opened(data)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.jpg").open("wb") as file:
        file.truncate(20_000_000_000)
    with pytest.raises(PhotoError, match=r"too large: 20\.0GB, and the limit is 1\.00GB"):
        open_photo(tmp_path / "a.jpg")


# Time


def many_scans(side: int, scans: int) -> bytes:
    """A progressive JPEG that repeats its last scan."""
    data = encoded(Image.new("L", (side, side), 128), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * scans + data[-2:]


def test_a_jpeg_of_many_scans_is_refused() -> None:
    data = many_scans(2000, 3000)
    start = time.monotonic()
    with pytest.raises(PhotoError, match=r"a JPEG with 3,00\d scans would take too long"):
        opened(data)
    assert time.monotonic() - start < 1


def test_usual_scans_are_counted_and_accepted() -> None:
    assert count_scans(encoded(NOISE, "JPEG")) == 1
    progressive = encoded(NOISE, "JPEG", progressive=True)
    assert 4 < count_scans(progressive) <= 10
    assert opened(progressive).size == (64, 64)
    assert count_scans(progressive + progressive) == count_scans(progressive), "as MPO has"
    assert opened(many_scans(100, 200)).size == (100, 100), "small, and so quick"


def test_scans_in_a_thumbnail_do_not_count() -> None:
    exif = Image.Exif()
    exif[0x010E] = "\xff\xda" * 100
    assert count_scans(encoded(NOISE, "JPEG", exif=exif)) == 1


# Metadata


def with_chunk(kind: bytes, payload: bytes, *, crc: int | None = None) -> bytes:
    """A PNG with one more chunk after its header."""
    data = encoded(NOISE, "PNG")
    crc = zlib.crc32(kind + payload) if crc is None else crc
    chunk = struct.pack(">I4s", len(payload), kind) + payload + struct.pack(">I", crc)
    return data[:33] + chunk + data[33:]


ROTATED = Image.Transpose.ROTATE_270
BOMB = zlib.compress(bytes(20_000_000))


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (b"zTXt", b"Comment\0\0" + BOMB),
        (b"iTXt", b"Comment\0\1\0\0\0" + BOMB),
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + BOMB),
        (b"zTXt", b"Raw profile type exif\0\0" + BOMB),
        (b"tEXt", b"Comment\0" + bytes(3_000_000)),
        (b"iCCP", b"profile\0\0" + BOMB),
        (b"iCCP", b"profile\0\0damaged"),
        (b"zTXt", b"Comment\0\7damaged"),
        (b"pHYs", b"short"),
        (b"cHRM", b"short"),
        (b"sRGB", b""),
        (b"acTL", b"short"),
        (b"eXIf", b"damaged"),
    ],
)
@pytest.mark.parametrize("crc", [None, 7])
def test_metadata_of_a_png_never_blocks_its_pixels(
    kind: bytes, payload: bytes, crc: int | None
) -> None:
    image = opened(with_chunk(kind, payload, crc=crc))
    assert image.tobytes() == NOISE.tobytes()


def test_a_tiff_tag_that_points_beyond_the_file_is_ignored() -> None:
    data = bytearray(encoded(NOISE, "TIFF", description="a description", software="a program"))
    (directory,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, directory)
    for entry in range(directory + 2, directory + 2 + 12 * count, 12):
        if struct.unpack_from("<H", data, entry)[0] in (270, 305):
            struct.pack_into("<I", data, entry + 8, 0x7FFFFFFF)
    assert opened(bytes(data)).tobytes() == NOISE.tobytes()


def test_damaged_exif_does_not_block_an_avif() -> None:
    exif = Image.Exif()
    exif[0x010E] = "description"
    data = encoded(NOISE, "AVIF", exif=exif, quality=90)
    position = data.index(b"description") - 40
    start = data.index(b"II*\0" if b"II*\0" in data else b"MM\0*", position) - 4
    damaged = data[:start] + b"\xff" * 12 + data[start + 12 :]
    assert opened(damaged).tobytes() == opened(data).tobytes()


def test_the_orientation_survives_in_every_place_where_it_is_written() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    wide = NOISE.crop((0, 0, 64, 32))
    for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        assert opened(encoded(wide, kind, exif=exif)).size == (32, 64)
    xmp = b'XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation="6"/>'
    assert opened(with_chunk(b"iTXt", xmp)).tobytes() == NOISE.transpose(ROTATED).tobytes()


# Pipes, devices and sockets


def test_pipes_and_devices_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "zero.jpg").symlink_to("/dev/zero")
    for name in ("pipe.jpg", "zero.jpg"):
        with pytest.raises(PhotoError, match="not a regular file"):
            open_photo(tmp_path / name)


@pytest.mark.parametrize("kind", ["a pipe", "a socket", "a device"])
def test_outputs_that_are_not_regular_files_are_never_replaced(
    cli: Run, tiny: Tiny, photos: Path, tmp_path: Path, kind: str
) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        for name in ("out", "out.png", "out.zip", "images.csv"):
            path = tmp_path / name
            if kind == "a pipe":
                os.mkfifo(path)
            elif kind == "a socket":
                path.symlink_to(make_socket(tmp_path, server))
            else:
                path.symlink_to("/dev/null")
        photo = photos / "photo0.jpg"
        captioner, painter = tiny.flags[2:], tiny.flags[:2]
        for command in (
            ("caption", photo, "-o", tmp_path / "out", *captioner),
            ("caption", photo, "--heatmap", tmp_path / "out.png", *captioner),
            ("paint", "a tree", "-o", tmp_path / "out.png", *painter),
            ("run", photos, tmp_path / "out.zip", *tiny.flags),
            ("run", photos, tmp_path / "images.zip", *tiny.flags),
        ):
            result = cli(*command, "--overwrite")
            assert result.exit_code == 1, command
            assert "is a device, pipe or socket, which cannot be replaced" in result.stderr
        assert not (tmp_path / "out").is_file()


def make_socket(folder: Path, server: socket.socket) -> Path:
    path = folder / "socket"
    if not path.exists():
        server.bind(str(path))
    return path
