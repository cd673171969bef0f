"""The files of a finished job: a zip, its reports and its photos, made without painting."""

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

from PIL import Image

from monetize.csv_tables import to_csv

HEADER = (
    "photo", "file", "caption", "prompt", "seed", "weights", "evaluations", "settings",
    "status", "error",
)  # fmt: skip
STYLE = "in monet style painting"
NASTY = """</script><img src=x onerror="boom()"> & 'it"s' \u2028 {{data}} -- é"""
FILES = ("a #1 50%25.jpg", "b&b+c=d.jpg", "été 木.jpg", "plain.jpg")
CAPTIONS = (NASTY, "a pine tree and a red sun", "Été: the sea", "a street by the sea")
SEEDS = (3, 20, 2**64 - 1, 100)
PAINTED, TAKEN = (200, 40, 40), (40, 60, 200)  # colors of paintings and photos


def picture(color: tuple[int, int, int], size: tuple[int, int] = (64, 64)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "JPEG")
    return buffer.getvalue()


def row(
    file: str, caption: str, seed: object, weights: str = "", settings: str = ""
) -> tuple[object, ...]:
    return (file, file, caption, f"{caption} {STYLE}", seed, weights, 15, settings, "painted", "")


def leave_job(tmp_path: Path) -> Path:
    """Four paintings under difficult names, and a photo that could not be read."""
    photos = tmp_path / "photos"
    photos.mkdir()
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for file in FILES:
            archive.writestr(file, picture(PAINTED))
            (photos / file).write_bytes(picture(TAKEN, (90, 60)))
    rows = [row(*each) for each in zip(FILES, CAPTIONS, SEEDS, strict=True)]
    weights = '["pine=-1", "red sun=2.5e-07", "@6=-17"]'
    rows[1] = row(FILES[1], CAPTIONS[1], 20, weights, "--num-inference-steps 14")
    rows.append(("bad.jpg", *[""] * 7, "unreadable", "empty file"))
    (tmp_path / "images.csv").write_bytes(to_csv(HEADER, rows))
    summary = {
        "photos": str(photos),
        "captioner": {"name": "vit-gpt2"},
        "painter": {"name": "sd-v1-4"},
        "settings": {"paint": {"model": "sd-v1-4", "size": 512, "negative_prompt": "a 'b'"}},
    }
    (tmp_path / "images.json").write_text(json.dumps(summary))
    return tmp_path / "images.zip"


def data(page: Path) -> dict[str, Any]:
    [text] = re.findall(
        r'<script type="application/json" id="data">(.*?)</script>', page.read_text("utf-8")
    )
    content: dict[str, Any] = json.loads(text)
    return content


def entries(page: Path) -> list[dict[str, object]]:
    content = data(page)
    return [dict(zip(content["names"], each, strict=True)) for each in content["rows"]]
