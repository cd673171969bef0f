"""Which checkpoints are on this machine: where, how large, and whether they are complete."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from monetize.checkpoints import hub
from monetize.checkpoints.layout import CAPTIONER, PAINTER, Layout
from monetize.checkpoints.resolve import KNOWN, KnownModel, list_files
from monetize.errors import StorageError
from monetize.messages import first_line

# A file of each layout, and what it names.
MARKS = (
    (PAINTER, "model_index.json", b'"StableDiffusionPipeline"'),
    *(
        (CAPTIONER, "config.json", f'"model_type": "{kind}"'.encode())
        for kind in ("vision-encoder-decoder", "blip", "blip-2", "git", "florence2")
    ),
)


@dataclass(frozen=True)
class Found:
    """A checkpoint as far as it is on this machine.

    `folder` is None where nothing of it is here, `size` is in bytes, and `missing` says what is
    needed to load it, in words.
    """

    name: str
    layout: Layout
    about: str
    repo_id: str
    folder: Path | None
    size: int
    missing: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Whether it can be loaded without the network."""
        return self.folder is not None and not self.missing


def list_checkpoints() -> list[Found]:
    """List the checkpoints with a short name, then the others in the hub's cache."""
    known = [_known(model) for model in KNOWN]
    return [*known, *_cached({model.repo_id for model in KNOWN})]


def _known(model: KnownModel) -> Found:
    folder, missing = model.folder, ("all files",)
    if folder is None:
        try:
            folder = hub.cached_snapshot(model.repo_id, "main")
        except StorageError as error:
            missing = (first_line(error),)
    return _found(model.name, model.layout, model.about, model.repo_id, folder, missing)


def _cached(known: set[str]) -> Iterator[Found]:
    """Checkpoints without a short name that the hub's cache has, by hub id."""
    for repo_id, folder in hub.cached_repositories():
        layout = _layout(folder) if repo_id not in known else None
        if layout is not None:
            yield _found(repo_id, layout, "in the hub's cache", repo_id, folder, ())


def _layout(folder: Path) -> Layout | None:
    """The layout of a checkpoint by its main file; None for one of another kind."""
    for layout, name, mark in MARKS:
        with suppress(OSError):
            if mark in (folder / name).read_bytes():
                return layout
    return None


def _found(
    name: str,
    layout: Layout,
    about: str,
    repo_id: str,
    folder: Path | None,
    missing: tuple[str, ...],
) -> Found:
    if folder is None:
        return Found(name, layout, about, repo_id, None, 0, missing)
    files = list_files(folder)
    # The cache has links to its files, perhaps several to one.
    contents = {(folder / file).resolve() for file in files}
    size = sum(file.stat().st_size for file in contents)
    return Found(name, layout, about, repo_id, folder, size, tuple(layout.missing(files)))
