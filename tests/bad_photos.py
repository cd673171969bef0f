"""Unreadable photos: how to save one, and the reason that is reported."""

from collections.abc import Callable
from pathlib import Path

from PIL import Image


def save_truncated(path: Path) -> None:
    Image.effect_noise((64, 64), 50).save(path)
    path.write_bytes(path.read_bytes()[:-200])


def save_damaged(path: Path) -> None:
    Image.effect_noise((64, 64), 50).save(path)
    data = path.read_bytes()
    path.write_bytes(data[:100] + bytes(40) + data[140:])


def save_bomb(path: Path) -> None:
    Image.new("1", (20_000, 10_000)).save(path)


BAD_PHOTOS: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "zero bytes": ("a.jpg", lambda path: path.write_bytes(b""), "empty file"),
    "truncated": ("a.jpg", save_truncated, "image file is truncated"),
    "text": ("a.jpg", lambda path: path.write_text("hello"), "not an image in a supported format"),
    "broken link": ("a.jpg", lambda path: path.symlink_to("gone.jpg"), "a link to gone.jpg, which"),
    "bomb": ("a.png", save_bomb, "more than 178 million pixels: downscale it"),
    "damaged PNG": ("a.png", save_damaged, "broken data stream"),
}  # fmt: skip
