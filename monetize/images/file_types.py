"""Tell what kind of file something is by its first bytes, or by its name if that is enough."""

HEAD_BYTES = 64  # enough for `image_format`
HEIF = "HEIF"

# Pillow's names of the formats that photos have; MPO is opened as JPEG. No other decoder is used:
# some are rarely tested, and the one for EPS starts Ghostscript.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", HEIF)

PHOTO_SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif", ".pjpeg", ".pjp", ".mpo"),
        *(".png", ".apng", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"),
        *(".heic", ".heif", ".heics", ".heifs", ".hif", ".avif", ".avifs"),
    }
)
# Files with these names are never photos, whatever they contain: raw files are TIFFs that Pillow
# shows as their thumbnails, and incomplete files and backups repeat another photo.
SUFFIXES_BY_KIND = {
    "video": ".mp4 .mov .m4v .avi .mkv .webm .wmv .flv .mpg .mpeg .3gp .3g2 .mts .m2ts .vob .ogv "
    ".lrv .insv .asf .qt",
    "raw file": ".3fr .arw .bay .cap .cr2 .cr3 .crw .dcr .dng .erf .fff .gpr .iiq .kdc .mef .mos "
    ".mrw .nef .nrw .orf .pef .ptx .raf .raw .rw2 .rwl .sr2 .srf .srw .x3f",
    "unsupported image": ".jp2 .j2k .jpx .jxl .jxr .psd .psb .svg .ico .cur .eps .ai .xcf .tga "
    ".exr .hdr .ppm .pgm .pbm .dds .kra",
    "sidecar file": ".xmp .aae .thm .pp3 .dop",
    "incomplete file": ".part .partial .crdownload .download .opdownload .tmp .temp",
    "backup file": ".bak .old .orig",
}
KINDS = {suffix: kind for kind, text in SUFFIXES_BY_KIND.items() for suffix in text.split()}

# Folders where systems and other programs keep thumbnails, deleted files and recovered fragments.
FOREIGN_FOLDERS = frozenset(
    {
        *("@eadir", "#recycle", "#snapshot", "@tmp", "@recycle", "@recently-snapshot"),  # NAS
        *("@__thumb", "@sharebin", "@synoresource", "lost+found", "found.000"),
        *("$recycle.bin", "recycler", "system volume information"),  # Windows
        *("__macosx", "network trash folder", "temporary items"),  # macOS
        *("ipod photo cache", "lost.dir", "_gsdata_"),
    }
)
FOREIGN_SUFFIXES = (".lrdata", ".photoslibrary", ".aplibrary")

SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
}
AVIF_BRANDS = frozenset({b"avif", b"avis"})
HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
)
BMP_HEADER_BYTES = frozenset({12, 16, 40, 52, 56, 64, 108, 124})


def image_format(head: bytes) -> str | None:
    """Return Pillow's name of the photo format that starts with these bytes; None for others."""
    for signature, name in SIGNATURES.items():
        if head.startswith(signature):
            return name
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in BMP_HEADER_BYTES:
        return "BMP"
    return _iso_format(head) if head[4:8] == b"ftyp" else None


def _iso_format(head: bytes) -> str | None:
    """Tell AVIF and HEIF by their brands; other ISO media files are videos."""
    length = int.from_bytes(head[:4], "big")
    brands = {head[start : start + 4] for start in (8, *range(16, min(length, len(head)), 4))}
    if brands & AVIF_BRANDS:
        return "AVIF"
    return HEIF if brands & HEIF_BRANDS else None


def other_kind(head: bytes) -> str | None:
    """Return the kind of a file that is not a photo by its first bytes; None if unknown."""
    if head[4:8] == b"ftyp" or head.startswith(b"\x1aE\xdf\xa3") or head[8:12] == b"AVI ":
        return "video"
    if head.startswith((b"%!PS", b"8BPS", b"\0\0\0\x0cjP", b"\0\0\0\x0cJXL", b"\xff\x0a")):
        return "unsupported image"
    if head.startswith(b"%PDF"):
        return "PDF"
    text = head.lstrip().lower()
    return "web page" if text.startswith((b"<!doctype html", b"<html")) else None


def kind_by_name(name: str) -> str | None:
    """Return the kind of a file that is not a photo, whatever it contains; None if unknown."""
    return "backup file" if name.endswith("~") else KINDS.get(suffix(name))


def suffix(name: str) -> str:
    """Return a file name's extension in lower case, with its dot."""
    stem, dot, extension = name.rpartition(".")
    return dot + extension.lower() if stem else ""


def is_foreign_folder(name: str) -> bool:
    """Whether a folder of this name is hidden, or belongs to a system or another program."""
    name = name.casefold()
    return name.startswith(".") or name in FOREIGN_FOLDERS or name.endswith(FOREIGN_SUFFIXES)


def is_image_path(path: str) -> bool:
    """Whether a path in a zip has an image's extension and is in no folder of another program."""
    if suffix(path.rpartition("/")[2]) not in PHOTO_SUFFIXES:
        return False
    *folders, name = path.split("/")
    folders = [folder for folder in folders if folder not in ("", ".", "..")]
    return not (name.startswith(".") or any(map(is_foreign_folder, folders)))
