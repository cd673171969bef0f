import io

import pytest
from PIL import Image

from monetize.images.file_types import (
    HEAD_BYTES,
    image_format,
    is_foreign_folder,
    is_image_path,
    kind_by_name,
    other_kind,
)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF"])
def test_photo_formats_are_recognized_by_their_first_bytes(kind: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, kind)
    assert image_format(file.getvalue()[:HEAD_BYTES]) == kind


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIF"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "AVIF"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42", None),
        (b"BM as a text may begin", None),
        (b"%!PS-Adobe-3.0 EPSF-3.0", None),
        (b"", None),
    ],
)
def test_files_with_similar_first_bytes_are_distinguished(head: bytes, kind: str | None) -> None:
    assert image_format(head) == kind


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0\0\0\x18ftypmp42", "video"),
        (b"RIFF\0\0\0\0AVI LIST", "video"),
        (b"8BPS\0\1", "unsupported image"),
        (b"%PDF-1.7", "PDF"),
        (b"\n<!DOCTYPE html>", "web page"),
        (b"hello", None),
    ],
)
def test_other_kinds_are_recognized_as_well(head: bytes, kind: str | None) -> None:
    assert other_kind(head) == kind


def test_some_kinds_are_recognized_by_name() -> None:
    names = ["a.MOV", "b.CR2", "c.jpg.part", "d.jpg~", "e.xmp", "f.jpg", "g"]
    assert [kind_by_name(name) for name in names] == [
        *("video", "raw file", "incomplete file", "backup file", "sidecar file", None, None)
    ]


def test_folders_of_other_programs_are_known_in_any_case() -> None:
    assert all(map(is_foreign_folder, ("@eaDir", "$Recycle.Bin", ".thumbnails", "a.lrdata")))
    assert not any(map(is_foreign_folder, ("holidays", "2024-05", "thumbnails")))


def test_paths_in_a_zip_are_images_unless_a_folder_is_foreign() -> None:
    assert is_image_path("a/b.JPG") and is_image_path("//b.jpe")
    assert not is_image_path("__MACOSX/b.jpg") and not is_image_path("a/._b.jpg")
