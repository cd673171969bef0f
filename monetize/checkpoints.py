"""Names → folders of checkpoint files: the known names, local folders, and the hub; no torch."""

import difflib
import hashlib
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from monetize import hub
from monetize.errors import CheckpointError, UsageError
from monetize.layouts import CAPTIONER, PAINTER, Layout

Say = Callable[[str], None]


@dataclass(frozen=True)
class KnownModel:
    """A checkpoint that has a short name here."""

    name: str
    layout: Layout
    repo_id: str
    about: str


KNOWN = (
    KnownModel(
        "vit-gpt2",
        CAPTIONER,
        "nlpconnect/vit-gpt2-image-captioning",
        "ViT-B/16 encoder and GPT-2 decoder, trained on COCO captions; 1.0 GB",
    ),
    KnownModel(
        "sd-v1-4",
        PAINTER,
        "CompVis/stable-diffusion-v1-4",
        "Stable Diffusion v1.4, 512 × 512; 2.1 GB in half precision, 4.2 GB in full",
    ),
    *(
        KnownModel(
            f"sd-v1-{minor}",
            PAINTER,
            f"CompVis/stable-diffusion-v1-{minor}",
            f"Stable Diffusion v1.{minor}, an earlier stage of the same training",
        )
        for minor in (3, 2, 1)
    ),
)


@dataclass(frozen=True)
class Checkpoint:
    """The files of a model on this machine.

    `name` is what the user asked for, `source` the hub id or the folder that it stands for,
    `commit` the hub's commit, None for a folder. `variant` is that of the weights to load.
    """

    name: str
    source: str
    folder: Path
    layout: Layout
    variant: str | None = None
    commit: str | None = None

    @cached_property
    def revision(self) -> str:
        """What tells this checkpoint from another of its name: commit, or digest of the files."""
        if self.commit:
            return self.commit
        digest = hashlib.sha256()
        for name in sorted(self.layout.choose(list_files(self.folder), self.variant)):
            digest.update(name.encode() + b"\0")
            with (self.folder / name).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return f"sha256:{digest.hexdigest()}"

    @property
    def identity(self) -> str:
        """Short words that differ where the files do, wherever a folder stands."""
        return f"{self.source}@{self.commit[:12]}" if self.commit else self.revision[:19]


def resolve(
    name: str, layout: Layout, *, half: bool = False, offline: bool = False, say: Say = print
) -> Checkpoint:
    """Find the files of a known name, a local folder, or a hub id, OWNER/NAME[@REVISION].

    The hub is asked only for what the cache lacks, and never if offline; `say` is told before
    a download. Raises CheckpointError with the ways out, UsageError for a name of no form.
    """
    folder = Path(os.path.expanduser(name))  # noqa: PTH111 - Path's fails for an unknown user
    if folder.exists():
        return _local(name, folder, layout, half)
    repo_id, _, revision = name.partition("@")
    known = {model.name: model for model in KNOWN if model.layout.flag == layout.flag}
    if repo_id in known:
        repo_id = known[repo_id].repo_id
    elif not re.fullmatch(r"[\w.-]+/[\w.-]+", repo_id) or repo_id.startswith("."):
        near = difflib.get_close_matches(repo_id, known, n=1)
        raise UsageError(
            f"{layout.flag} {name}: no such folder here, "
            f"and not a known name ({', '.join(known)}) nor a hub id (OWNER/NAME)."
            + (f" Did you mean {near[0]}?" if near else "")
        )
    return _from_hub(name, repo_id, revision or "main", layout, half, offline, say)


def is_cached(model: KnownModel) -> bool:
    """Whether a known model can be loaded without the network."""
    folder = hub.cached_snapshot(model.repo_id, "main")
    return folder is not None and not model.layout.missing(list_files(folder))


def list_files(folder: Path) -> list[str]:
    """The files below a folder as relative names with `/`."""
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


def _local(name: str, folder: Path, layout: Layout, half: bool) -> Checkpoint:
    if not folder.is_dir():
        raise CheckpointError(
            f"{layout.flag} {name} is a file; a folder in {layout.form} layout is needed."
        )
    files = list_files(folder)
    missing = layout.missing(files)
    if missing:
        raise CheckpointError(
            f"{layout.flag} {name} is not a {layout.form} checkpoint: it lacks "
            f"{', '.join(missing)}. Give the folder that save_pretrained() wrote."
        )
    variant = layout.variant(files, half=half)
    return Checkpoint(name, str(folder.resolve()), folder, layout, variant)


def _from_hub(
    name: str, repo_id: str, revision: str, layout: Layout, half: bool, offline: bool, say: Say
) -> Checkpoint:
    folder = hub.cached_snapshot(repo_id, revision)
    lacks_what = layout.missing(list_files(folder)) if folder else ["everything"]
    if lacks_what:
        ways_out = (
            "Ways out: connect to the internet and run the same command again; or fetch it on a "
            "connected machine with 'hf download' (the README's part on notebooks has the "
            f"commands), copy the folder here, and name it: {layout.flag} FOLDER."
        )
        if offline:
            raise CheckpointError(
                f"{repo_id} is not complete on this machine (lacking: {', '.join(lacks_what)}), "
                f"and --offline forbids to fetch it. {ways_out}"
            )

        def choose(files: list[str]) -> Iterable[str]:
            absent = layout.missing(files)
            if absent:
                raise CheckpointError(
                    f"{repo_id} on the hub is not a {layout.form} checkpoint: it lacks "
                    f"{', '.join(absent)}."
                )
            return layout.choose(files, layout.variant(files, half=half))

        folder = hub.download(repo_id, revision, choose, say, ways_out)
    assert folder is not None
    variant = layout.variant(list_files(folder), half=half)
    return Checkpoint(name, repo_id, folder, layout, variant, commit=folder.name)
