"""Encode a single painting as PNG or JPEG, with its settings as metadata."""

import io
import json
import re
import struct
from collections.abc import Mapping
from pathlib import Path

from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.PngImagePlugin import PngInfo

from monetize import __version__
from monetize.errors import UsageError
from monetize.image_sizes import Pixels
from monetize.messages import printable
from monetize.prompts.prompt import Prompt
from monetize.prompts.syntax import PLAIN
from monetize.settings import PaintSettings

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
JPEG_QUALITY = 95
MAX_EXIF_BYTES = 65_533  # the capacity of a JPEG segment
# Image viewers know diffusers' schedulers by these names.
SAMPLERS = {
    "PNDMScheduler": "PLMS",
    "LMSDiscreteScheduler": "LMS",
    "DDIMScheduler": "DDIM",
    "DPMSolverMultistepScheduler": "DPM++ 2M",
    "UniPCMultistepScheduler": "UniPC",
    "EulerDiscreteScheduler": "Euler",
    "EulerAncestralDiscreteScheduler": "Euler a",
    "HeunDiscreteScheduler": "Heun",
    "LCMScheduler": "LCM",
}


def parameters(
    prompt: Prompt,
    settings: PaintSettings,
    *,
    seed: int,
    size: Pixels,
    scheduler: str,
    init_image: str | None = None,
    extra: Mapping[str, str] | None = None,
) -> str:
    """Return a painting's settings in the text format of AUTOMATIC1111's web UI.

    Image viewers parse it: prompt, negative prompt, then `Name: value` pairs; a value that
    contains a comma is quoted as in JSON. `scheduler` is the class name in diffusers, `init_image`
    the name of the photo that the painting starts from; the pairs in `extra` are appended.
    """
    pairs = {
        "Steps": settings.num_inference_steps,
        "Sampler": SAMPLERS.get(scheduler, scheduler),
        "CFG scale": settings.guidance_scale,
        "Seed": seed,
        "Size": f"{size[0]}x{size[1]}",
        "Model": settings.model,
    }
    pairs |= {_numbered("LoRA", i): str(lora) for i, lora in enumerate(settings.lora)}
    pairs |= {_numbered("Embedding", i): str(each) for i, each in enumerate(settings.embedding)}
    if init_image is not None:
        pairs["Denoising strength"] = settings.strength
        pairs["Init image"] = printable(init_image)
        if settings.fit is not None:
            pairs["Init image fit"] = settings.fit
    if settings.prompt_syntax != PLAIN:
        pairs["Prompt syntax"] = settings.prompt_syntax
    if prompt.weights:
        pairs["Token weights"] = ", ".join(str(weight) for weight in prompt.weights)
    if prompt.is_weighted and (settings.weight_start, settings.weight_end) != (0, 1):
        pairs["Token weights range"] = f"{settings.weight_start}-{settings.weight_end}"
    if (settings.guidance_start, settings.guidance_end) != (0, 1):
        pairs["Guidance range"] = f"{settings.guidance_start}-{settings.guidance_end}"
    if settings.palette is not None:
        pairs["Palette"] = Path(settings.palette).name
        pairs["Palette strength"] = settings.palette_strength
    pairs.update(extra or {})
    pairs["Version"] = f"monetize {__version__}"
    lines = [prompt.written]
    if settings.negative_prompt:
        lines.append(f"Negative prompt: {settings.negative_prompt}")
    lines.append(", ".join(f"{name}: {_quoted(value)}" for name, value in pairs.items()))
    return "\n".join(lines)


def _numbered(name: str, i: int) -> str:
    """The name of the first, second, ... value: LoRA, LoRA 2."""
    return f"{name} {i + 1}" if i else name


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r'[,:\n"]', text) else text


def encode(image: Image.Image, path: Path, text: str, flag: str = "--output") -> bytes:
    """Encode a painting in the format of path's extension, with `text` as metadata.

    PNG stores the text in the chunk `parameters`, JPEG in EXIF's UserComment as UTF-16. Raises
    UsageError, naming `flag`, if the text does not fit in a JPEG.
    """
    buffer = io.BytesIO()
    if check_format(path, flag) == "PNG":
        info = PngInfo()
        info.add_text("parameters", text)  # as UTF-8 if Latin-1 cannot encode it
        image.save(buffer, "PNG", pnginfo=info)
    else:
        exif = jpeg_exif(text)
        if exif is None:
            raise UsageError(
                f"{flag} {path}: the prompt is too long for a JPEG's metadata; use .png"
            )
        image.save(buffer, "JPEG", quality=JPEG_QUALITY, exif=exif)
    return buffer.getvalue()


def jpeg_exif(text: str) -> bytes | None:
    """Return EXIF data with only a UserComment; None if the text does not fit in a JPEG."""
    exif = _exif_with_comment(text)
    return exif if len(exif) <= MAX_EXIF_BYTES else None


def _exif_with_comment(text: str) -> bytes:
    """Return EXIF data, big-endian like its UTF-16 (EXIF 2.3, 4.6.5).

    Pillow writes the comment as type BYTE, which standard-conforming readers reject: the type must
    be UNDEFINED.
    """
    comment = b"UNICODE\0" + text.encode("utf-16-be")
    long, undefined = 4, 7
    header = struct.pack(">2sHL", b"MM", 42, 8)
    # Each directory has one entry (tag, type, count, offset) and no next directory.
    directory = struct.pack(">HHHLLL", 1, IFD.Exif, long, 1, 26, 0)
    exif_directory = struct.pack(">HHHLLL", 1, Base.UserComment, undefined, len(comment), 44, 0)
    return b"Exif\0\0" + header + directory + exif_directory + comment


def check_format(path: Path, flag: str = "--output") -> str:
    """Return Pillow's name of the format of path's extension.

    Raises UsageError for an unsupported one, naming the flag that path was given to.
    """
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        raise UsageError(
            f"{flag} {path}: unsupported image format; use one of {', '.join(FORMATS)}"
        ) from None
