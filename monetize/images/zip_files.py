"""Read images from zips within limits: the one reader for all commands."""

import struct
import zipfile
from pathlib import Path

from tqdm import tqdm

from monetize.errors import InputError, PhotoError, ReadError, UsageError
from monetize.images.file_types import HEAD_BYTES, image_format, is_image_path
from monetize.images.reading import FILE_ERRORS
from monetize.interruption import raise_if_interrupted
from monetize.messages import first_line

# Far above a photo in any packed format; a zip of a few kilobytes can claim terabytes.
MAX_MEMBER_BYTES = 100_000_000
MAX_OTHER_BYTES = 1_000_000  # of a member that does not start like an image
# Images barely shrink in a zip; all members of a bomb may claim more than a disk holds.
MAX_TOTAL_BYTES, MAX_RATIO = 10_000_000_000, 200
ENCRYPTED = 0x1


class TooLarge(PhotoError):
    """A member claims more bytes than an image has; it was not unpacked."""


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip for reading; this reads only the list of its members.

    Raises UsageError if there is no such file, InputError if it is not a zip or is damaged.
    """
    if not path.is_file():
        what = "no such file"
        if path.exists():
            what = "this is a folder" if path.is_dir() else "this is not a regular file"
        raise UsageError(f"{path}: {what}; expected a zip such as monetize run writes")
    try:
        with path.open("rb") as file:
            starts_as_zip = file.read(2) == b"PK"
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, struct.error) as error:
        if starts_as_zip:
            raise InputError(
                f"{path}: the zip is truncated or damaged: copy, download or create it again"
            ) from error
        raise InputError(f"{path}: not a zip; expected one such as monetize run writes") from error
    total = sum(member.file_size for member in archive.infolist())
    if total > max(MAX_TOTAL_BYTES, MAX_RATIO * path.stat().st_size):
        archive.close()
        size = tqdm.format_sizeof(total, "B")
        raise InputError(f"{path}: claims to contain {size}, which no zip of images does")
    return archive


def image_members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """List the images of a zip by their names, damaged or not, in the order of the zip."""
    return [member for member in archive.infolist() if is_image_path(member.filename)]


def read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Unpack a member and check its CRC.

    Raises PhotoError with the reason if it is damaged, ReadError if the system cannot read files.
    Threads may read from one zip at the same time.
    """
    if member.file_size > MAX_MEMBER_BYTES:
        size = tqdm.format_sizeof(member.file_size, "B")
        raise TooLarge(f"claims to be {size}, too large for an image")
    if member.flag_bits & ENCRYPTED:
        raise PhotoError("encrypted")
    try:
        with archive.open(member) as file:
            head = file.read(HEAD_BYTES)
            if member.file_size > MAX_OTHER_BYTES and image_format(head) is None:
                raise PhotoError("not an image in a supported format")
            # One byte more than claimed, so that the end is reached and the CRC is checked.
            return head + file.read(member.file_size + 1 - len(head))
    except PhotoError:
        raise
    except Exception as error:
        raise_if_interrupted(error)
        # Damaged members make zipfile and its decompressors raise nearly any exception.
        if isinstance(error, OSError) and error.errno not in (None, *FILE_ERRORS):
            raise ReadError(f"{archive.filename}: cannot be read: {error.strerror}") from error
        if str(error).startswith("Bad CRC"):
            raise PhotoError("CRC mismatch") from None
        raise PhotoError(first_line(error) or f"damaged ({type(error).__name__})") from None
