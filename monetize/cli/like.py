"""What `monetize paint --like` cannot repeat, checked before any work."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from monetize.cli.presets import LIKE_FILE
from monetize.cli.terminal import Terminal
from monetize.errors import UsageError
from monetize.messages import printable
from monetize.settings import PaintSettings
from monetize.stores.remote_path import AnyPath

if TYPE_CHECKING:
    from monetize.images.repaint import Repaint

SUFFIXES = (".safetensors", ".ckpt", ".pt", ".pth", ".bin")


def check_like(
    like: "Repaint",
    settings: PaintSettings,
    photo: AnyPath | None,
    terminal: Terminal,
    *,
    is_edit: bool,
) -> None:
    """Warn about what --like cannot repeat; raises UsageError if a file that it needs is missing.

    That may be the photo to start from, the checkpoint, a LoRA or an embedding.
    """
    if like.left_out:
        terminal.warn(f"--like cannot repeat: {printable('; '.join(like.left_out))}")
    if any(each.startswith("Base prompt:") for each in like.left_out) and not is_edit:
        terminal.say("To repeat the edit, give that base prompt, and this one with --edit.")
    if like.init_image and photo is None:
        raise UsageError(
            f"--like: that painting started from the photo {printable(like.init_image)}: give it "
            "with --init-image"
        )
    ctx = click.get_current_context()
    for option, files in _files(settings):
        is_from_like = ctx.get_parameter_source(option) is ParameterSource.DEFAULT_MAP
        is_from_like &= option in like.options
        if is_from_like and any(_is_missing(file) for file, _ in files):
            raise _missing(ctx.meta[LIKE_FILE], f"--{option}", files)


def _files(settings: PaintSettings) -> Iterator[tuple[str, Sequence[tuple[str, str]]]]:
    """Yield the options that name files, each with its files and what follows their names."""
    yield "model", [(settings.model, "")]
    yield "lora", [(each.source, str(each).removeprefix(each.source)) for each in settings.lora]
    yield (
        "embedding",
        [(each.file, str(each).removeprefix(each.file)) for each in settings.embedding],
    )


def _is_missing(name: str) -> bool:
    """Whether a name is that of a file or folder that is not here, and not of the hub's."""
    path = os.path.expanduser(name)  # noqa: PTH111 - Path.expanduser fails for an unknown user
    is_path = name.startswith(("/", ".", "~")) or "\\" in name or name.lower().endswith(SUFFIXES)
    return is_path and not os.path.exists(path)  # noqa: PTH110 # pathlib raises for names too long


def _missing(like: Path, flag: str, files: Sequence[tuple[str, str]]) -> UsageError:
    missing = next(file for file, _ in files if _is_missing(file))
    given = [f"{flag} {'PATH' if _is_missing(file) else file}{end}" for file, end in files]
    return UsageError(
        f"--like {printable(like)}: that painting was made with {flag} {printable(missing)}, which "
        f"is missing here: give its path with {printable(' '.join(given))}"
    )
