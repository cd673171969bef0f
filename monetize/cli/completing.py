"""What a shell offers for an option's value: names, and files where none of them fits."""

from collections.abc import Iterable
from typing import Any

import click
from click.shell_completion import CompletionItem


def names_or_files(
    names: Iterable[tuple[str, str]], incomplete: str
) -> "list[CompletionItem[Any]]":
    """Offer the names that begin like this, each with what it is, and else files and folders."""
    matching = [
        CompletionItem(name, help=about) for name, about in names if name.startswith(incomplete)
    ]
    return matching or [CompletionItem(incomplete, type="file")]


def checkpoints(param: click.Parameter, incomplete: str) -> "list[CompletionItem[Any]]":
    """Offer the checkpoints with a name for the flag of an option, and else files and folders."""
    from monetize.checkpoints.resolve import AUTO, KNOWN

    known = [(model.name, model.about) for model in KNOWN if model.layout.flag in param.opts]
    auto = [(AUTO, "the full-size one on CUDA, else pocket")] if known else []
    return names_or_files([*auto, *known], incomplete)
