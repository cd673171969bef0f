"""Single paintings as files: PNG or JPEG with the settings inside, under names that are free."""

import io
import json
import re
import struct
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.PngImagePlugin import PngInfo

from monetize import __version__
from monetize.errors import UsageError
from monetize.messages import name_some
from monetize.prompts.prompt import Prompt
from monetize.settings import PaintSettings

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
JPEG_QUALITY = 95
LONGEST_EXIF = 65_533  # bytes, what a segment of a JPEG holds
# The names under which viewers of this field know diffusers' schedulers.
SAMPLERS = {
    "PNDMScheduler": "PLMS",
    "LMSDiscreteScheduler": "LMS",
    "DDIMScheduler": "DDIM",
    "DPMSolverMultistepScheduler": "DPM++ 2M",
    "UniPCMultistepScheduler": "UniPC",
}


def parameters(
    prompt: Prompt,
    settings: PaintSettings,
    *,
    seed: int,
    size: int,
    scheduler: str,
    others: Mapping[str, str] | None = None,
) -> str:
    """The settings of a painting in the text form of AUTOMATIC1111's web UI.

    Viewers of this field read it: prompt, negative prompt, then `Name: value` pairs; a value
    with a comma is quoted as in JSON. scheduler is the class's name in diffusers, `others` are
    pairs that go behind these.
    """
    pairs = {
        "Steps": settings.num_inference_steps,
        "Sampler": SAMPLERS.get(scheduler, scheduler),
        "CFG scale": settings.guidance_scale,
        "Seed": seed,
        "Size": f"{size}x{size}",
        "Model": settings.model,
    }
    if prompt.weights:
        pairs["Token weights"] = ", ".join(str(weight) for weight in prompt.weights)
        if (settings.weight_start, settings.weight_end) != (0, 1):
            pairs["Token weights range"] = f"{settings.weight_start}-{settings.weight_end}"
    if settings.palette is not None:
        pairs["Palette"] = Path(settings.palette).name
        pairs["Palette strength"] = settings.palette_strength
    pairs.update(others or {})
    pairs["Version"] = f"monetize {__version__}"
    lines = [prompt.text]
    if settings.negative_prompt:
        lines.append(f"Negative prompt: {settings.negative_prompt}")
    lines.append(", ".join(f"{name}: {_quoted(value)}" for name, value in pairs.items()))
    return "\n".join(lines)


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r'[,:\n"]', text) else text


def encode(image: Image.Image, path: Path, text: str, flag: str = "--output") -> bytes:
    """Encode a painting in the format of path's ending, with text inside.

    PNG has it in the chunk `parameters`, JPEG in EXIF's UserComment as UTF-16.
    """
    buffer = io.BytesIO()
    if check_format(path, flag) == "PNG":
        info = PngInfo()
        info.add_text("parameters", text)  # as UTF-8 where Latin-1 will not do
        image.save(buffer, "PNG", pnginfo=info)
    else:
        exif = _exif_with_comment(text)
        if len(exif) > LONGEST_EXIF:
            raise UsageError(f"{flag} {path}: so long a prompt does not fit a JPEG; write a .png")
        image.save(buffer, "JPEG", quality=JPEG_QUALITY, exif=exif)
    return buffer.getvalue()


def _exif_with_comment(text: str) -> bytes:
    """EXIF with a UserComment and nothing else, big-endian as the UTF-16 in it (EXIF 2.3, 4.6.5).

    Pillow writes a comment as type BYTE, which readers that follow the standard refuse; it must be
    of type UNDEFINED.
    """
    comment = b"UNICODE\0" + text.encode("utf-16-be")
    long, undefined = 4, 7
    header = struct.pack(">2sHL", b"MM", 42, 8)
    # Each directory: one entry (tag, type, count, offset), and no directory after it.
    directory = struct.pack(">HHHLLL", 1, IFD.Exif, long, 1, 26, 0)
    exif_directory = struct.pack(">HHHLLL", 1, Base.UserComment, undefined, len(comment), 44, 0)
    return b"Exif\0\0" + header + directory + exif_directory + comment


def check_format(path: Path, flag: str = "--output") -> str:
    """Pillow's name of the format that path's ending asks for; raises UsageError for others.

    `flag` is the one that path was given for.
    """
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        raise UsageError(
            f"{flag} {path}: a picture is written as {', '.join(FORMATS)}: give it such an ending"
        ) from None


def numbered(path: Path, count: int) -> list[Path]:
    """The names of count paintings: path itself, or path-1, path-2 and so on."""
    if count == 1:
        return [path]
    width = len(str(count))
    return [path.with_stem(f"{path.stem}-{i:0{width}}") for i in range(1, count + 1)]


def check_outputs(paths: Sequence[Path], flag: str, *, overwrite: bool) -> None:
    """Raise UsageError, before any work, for pictures that could not be written in the end.

    The paths are in one folder and of one format.
    """
    check_format(paths[0], flag)
    if not paths[0].parent.is_dir():
        raise UsageError(f"{flag} {paths[0]}: there is no folder {paths[0].parent}: make it first")
    existing = [path for path in paths if path.exists()]
    if existing and not overwrite:
        raise UsageError(f"{flag}: {name_some(existing)} exists; --overwrite replaces it")


def free_name(
    prompt: str, seed: int, folder: Path = Path(), *, ending: str = "", taken: Collection[Path] = ()
) -> Path:
    """A PNG's name that tells prompt and seed, and that no file in folder has yet or will have.

    `ending` goes behind the seed; `taken` are resolved paths that are kept for other files.
    """
    stem = f"{slug(prompt, 60) or 'painting'}-{seed}{ending}"
    path = folder / f"{stem}.png"
    number = 1
    while path.exists() or path.resolve() in taken:
        number += 1
        path = folder / f"{stem}-{number}.png"
    return path


def slug(text: str, most: int) -> str:
    """A text as a part of a file's name, of so many characters at most."""
    return re.sub(r"\W+", "-", text.casefold())[:most].strip("-")
