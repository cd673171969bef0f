"""Name the image files that a command writes, and check before any work that it can write them."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from monetize.atomic_files import output_target
from monetize.errors import UsageError
from monetize.images.encoding import check_format
from monetize.messages import name_some


def numbered(path: Path, count: int) -> list[Path]:
    """Return the paths of `count` images: path itself for one, otherwise path-1, path-2, ..."""
    if count == 1:
        return [path]
    width = len(str(count))
    return [path.with_stem(f"{path.stem}-{i:0{width}}") for i in range(1, count + 1)]


def check_outputs(paths: Sequence[Path], flag: str, *, overwrite: bool) -> None:
    """Raise UsageError, naming the flag, for images that could not be written later.

    All paths share one folder and one extension.
    """
    check_format(paths[0], flag)
    check_files(paths, flag, overwrite=overwrite)


def check_files(paths: Sequence[Path], flag: str, *, overwrite: bool) -> None:
    """Raise UsageError or StorageError for files in one folder that could not be written later."""
    if not paths[0].parent.is_dir():
        raise UsageError(
            f"{flag} {paths[0]}: there is no folder {paths[0].parent}: create it first"
        )
    existing = [path for path in paths if output_target(path).exists()]
    if existing and not overwrite:
        verb, them = ("exists", "it") if len(existing) == 1 else ("exist", "them")
        raise UsageError(f"{flag}: {name_some(existing)} {verb}; --overwrite replaces {them}")


def free_name(
    prompt: str,
    seed: int,
    folder: Path = Path(),
    *,
    suffix: str = "",
    taken: Collection[Path] = (),
    companions: Collection[str] = (),
) -> Path:
    """Return an unused PNG path named after prompt and seed.

    `suffix` follows the seed; `taken` are resolved paths reserved for other files. `companions` are
    endings that the names of further files add to its stem: these are unused, too.
    """
    stem = f"{_slug(prompt) or 'painting'}-{seed}{suffix}"
    path = folder / f"{stem}.png"
    number = 1
    while any(
        each.exists() or each.resolve() in taken
        for each in (path, *companion_paths(path, companions))
    ):
        number += 1
        path = folder / f"{stem}-{number}.png"
    return path


def companion_paths(path: Path, endings: Collection[str]) -> list[Path]:
    """Return the files next to path whose stems have these endings."""
    return [path.with_stem(path.stem + ending) for ending in endings]


def _slug(text: str) -> str:
    """A name of at most 60 characters and 180 bytes: most disks allow 255 bytes in all."""
    slug = re.sub(r"\W+", "-", text.casefold())[:60]
    return slug.encode()[:180].decode(errors="ignore").strip("-")
