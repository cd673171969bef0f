"""What a file contains instead of weights, by its first bytes."""

from pathlib import Path

HEAD_BYTES = 1024
LFS_POINTER = b"version https://git-lfs"
CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\f\r")


def not_weights(path: Path) -> str:
    """Say why a file that cannot be loaded has no weights, and the way out; empty if unknown."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        return "it is empty. Copy or download it again."
    if found := substitute(head):
        return found
    if head.isascii() and CONTROLS.isdisjoint(head):
        return "it is a text file, not weights. Copy or download the right file."
    return ""


def substitute(head: bytes) -> str:
    """Say that a file is what Git or a website gives in its place, and the way out; or empty."""
    if head.startswith(LFS_POINTER):
        return (
            "it is a Git LFS pointer, not the file itself. Run git lfs pull in its folder, or "
            "download the file again."
        )
    if head.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return (
            "it is a web page (HTML), not the file itself. Download the file again; the site may "
            "require you to log in first."
        )
    return ""
