"""Finding a checkpoint by a known name, a local folder or a hub id; imports no torch."""

import difflib
import hashlib
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from monetize.checkpoints import hub
from monetize.checkpoints.layout import CAPTIONER, PAINTER, PAINTER_TOKENIZER, Layout
from monetize.checkpoints.single_file import CONFIGS, SUFFIXES, check_single_file
from monetize.digests import sha256_of
from monetize.errors import CheckpointError, UsageError

if TYPE_CHECKING:
    from monetize.checkpoints.embeddings import EmbeddingFile
    from monetize.checkpoints.lora import LoraFile

Say = Callable[[str], None]


# Stands for the real checkpoint if CUDA is available, and for pocket elsewhere.
AUTO = "auto"
POCKET = "pocket"
POCKET_FOLDER = Path(__file__).parent.parent / POCKET


@dataclass(frozen=True)
class KnownModel:
    """A checkpoint with a short name, in a `folder` of the package or on the hub.

    A painter uses the last two fields where its settings are None.
    """

    name: str
    layout: Layout
    about: str
    repo_id: str = ""
    folder: Path | None = None
    num_inference_steps: int = 50
    guidance_scale: float = 7.5


KNOWN = (
    KnownModel(
        POCKET,
        CAPTIONER,
        "small EfficientNet and GPT-2, trained on captions of landscapes; bundled",
        folder=POCKET_FOLDER / "captioner",
    ),
    KnownModel(
        POCKET,
        PAINTER,
        "small Stable Diffusion, 256 × 256, for landscapes; bundled",
        folder=POCKET_FOLDER / "painter",
        num_inference_steps=15,
        guidance_scale=4.0,
    ),
    KnownModel(
        "vit-gpt2",
        CAPTIONER,
        "ViT-B/16 encoder and GPT-2 decoder, trained on COCO captions; 1.0 GB",
        repo_id="nlpconnect/vit-gpt2-image-captioning",
    ),
    KnownModel(
        "sd-v1-4",
        PAINTER,
        "Stable Diffusion v1.4, 512 × 512; 2.1 GB in half precision, 4.2 GB in full",
        repo_id="CompVis/stable-diffusion-v1-4",
    ),
    *(
        KnownModel(
            f"sd-v1-{minor}",
            PAINTER,
            f"Stable Diffusion v1.{minor}, an earlier stage of the same training",
            repo_id=f"CompVis/stable-diffusion-v1-{minor}",
        )
        for minor in (3, 2, 1)
    ),
)


@dataclass(frozen=True)
class Checkpoint:
    """The files of a model on this machine.

    `name` is what the user typed, `source` the hub id, folder or file it stands for, `commit` the
    hub's commit (None for a folder), `variant` that of the weights to load. `file` has all weights
    of a single-file checkpoint, whose `folder` has only the configuration. `loras` are added to the
    weights of a painter, `embeddings` to its vocabulary; it uses the last two fields where its
    settings are None.
    """

    name: str
    source: str
    folder: Path
    layout: Layout
    variant: str | None = None
    commit: str | None = None
    file: Path | None = None
    loras: "tuple[LoraFile, ...]" = ()
    embeddings: "tuple[EmbeddingFile, ...]" = ()
    num_inference_steps: int = KnownModel.num_inference_steps
    guidance_scale: float = KnownModel.guidance_scale

    @cached_property
    def revision(self) -> str:
        """The hub's commit, or a digest of the files: differs whenever the files do."""
        if self.commit:
            return self.commit
        if self.file:
            return f"sha256:{sha256_of(self.file)}"
        digest = hashlib.sha256()
        for name, path in self.files().items():
            digest.update(name.encode() + b"\0")
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return f"sha256:{digest.hexdigest()}"

    def files(self) -> dict[str, Path]:
        """The files outside of the package that are loaded, sorted by name."""
        if self.file:
            return {self.file.name: self.file}
        names = sorted(self.layout.select(list_files(self.folder), self.variant))
        return {name: self.folder / name for name in names}

    @property
    def bundled(self) -> bool:
        """Whether the files are in the package."""
        return POCKET_FOLDER in self.folder.parents

    @property
    def weights_path(self) -> Path:
        """The single file or the folder that the weights are in."""
        return self.file or self.folder

    @property
    def identity(self) -> str:
        """A short form of `revision`, independent of where a folder is."""
        return f"{self.source}@{self.commit[:12]}" if self.commit else self.revision[:19]


def resolve(
    name: str, layout: Layout, *, half: bool = False, offline: bool = False, say: Say = print
) -> Checkpoint:
    """Find the files of a known name, a local folder, or a hub id OWNER/NAME[@REVISION].

    Downloads only files that are not in the cache, and none if offline; `say` announces a
    download. Raises CheckpointError, with the alternatives, and UsageError for an invalid name.
    """
    known = {model.name: model for model in KNOWN if model.layout.flag == layout.flag}
    if name in known and (bundled := known[name].folder):
        return _from_package(known[name], bundled, layout)
    folder = Path(os.path.expanduser(name))  # noqa: PTH111 - Path.expanduser fails for an unknown user
    is_file = folder.suffix.lower() in SUFFIXES and layout.flag == PAINTER.flag
    if folder.is_file() and is_file:
        return _from_file(name, folder, layout, say)
    if folder.exists():
        return _from_folder(name, folder, layout, half)
    if is_file:
        raise UsageError(f"{layout.flag} {name}: no such file")
    repo_id, _, revision = name.partition("@")
    if repo_id in known and known[repo_id].repo_id:
        repo_id = known[repo_id].repo_id
    elif not re.fullmatch(r"[\w.-]+/[\w.-]+", repo_id) or repo_id.startswith("."):
        near = difflib.get_close_matches(repo_id, known, n=1)
        raise UsageError(
            f"{layout.flag} {name}: no such folder, "
            f"and neither a known name ({', '.join(known)}) nor a hub id (OWNER/NAME)."
            + (f" Did you mean {near[0]}?" if near else "")
        )
    return _from_hub(name, repo_id, revision or "main", layout, half, offline, say)


def resolve_auto(name: str, flag: str, device: str) -> tuple[str, str]:
    """Return the name that `auto` stands for on a type of device, and a remark that says why.

    Any other name is returned unchanged, with an empty remark.
    """
    if name != AUTO:
        return name, ""
    real = next(model.name for model in KNOWN if model.layout.flag == flag and model.repo_id)
    if device == "cuda":
        return real, f" (auto: CUDA is available; {flag} {POCKET} is small and fast)"
    return POCKET, f" (auto: no CUDA device in use; the full-size model is {flag} {real})"


def list_files(folder: Path) -> list[str]:
    """Return the files below a folder as relative names with `/`."""
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


def _from_package(model: KnownModel, folder: Path, layout: Layout) -> Checkpoint:
    missing = layout.missing(list_files(folder))
    if missing:
        raise CheckpointError(
            f"{layout.flag} {model.name} has no {', '.join(missing)}: "
            + (
                "use another --model with --safety-checker."
                if layout.parts != model.layout.parts
                else f"this installation of monetize is damaged ({folder}); reinstall it."
            )
        )
    return Checkpoint(
        model.name,
        model.name,
        folder,
        layout,
        num_inference_steps=model.num_inference_steps,
        guidance_scale=model.guidance_scale,
    )


def _from_file(name: str, file: Path, layout: Layout, say: Say) -> Checkpoint:
    if layout not in (PAINTER, PAINTER_TOKENIZER):
        raise CheckpointError(
            f"{layout.flag} {name} is a single file, which has no safety checker: use a folder in "
            f"diffusers layout, or leave out --safety-checker."
        )
    check_single_file(layout.flag, file, say)
    return Checkpoint(name, str(file.resolve()), CONFIGS, layout, file=file)


def _from_folder(name: str, folder: Path, layout: Layout, half: bool) -> Checkpoint:
    if not folder.is_dir():
        raise CheckpointError(
            f"{layout.flag} {name} is a file; a folder in {layout.form} layout is needed"
            + (f", or a file {' or '.join(SUFFIXES)}." if layout.flag == PAINTER.flag else ".")
        )
    files = list_files(folder)
    missing = layout.missing(files)
    if missing:
        raise CheckpointError(
            f"{layout.flag} {name} is not a {layout.form} checkpoint: missing "
            f"{', '.join(missing)}. Use the folder that save_pretrained() wrote."
        )
    variant = layout.variant(files, half=half)
    return Checkpoint(name, str(folder.resolve()), folder, layout, variant)


def _from_hub(
    name: str, repo_id: str, revision: str, layout: Layout, half: bool, offline: bool, say: Say
) -> Checkpoint:
    folder = hub.cached_snapshot(repo_id, revision)
    missing = layout.missing(list_files(folder)) if folder else ["all files"]
    if missing:
        alternatives = (
            "Alternatives: connect to the internet and run the same command again; download it on "
            "a connected machine with 'hf download' (the README's section 'From photos to the "
            "leaderboard' has the commands), copy the folder here and use "
            f"{layout.flag} FOLDER; or use the small bundled model: {layout.flag} {POCKET}."
        )
        if offline:
            raise CheckpointError(
                f"{repo_id} is not complete on this machine (missing: {', '.join(missing)}), "
                f"and --offline does not allow downloading it. {alternatives}"
            )

        def select(files: list[str]) -> Iterable[str]:
            absent = layout.missing(files)
            if absent:
                raise CheckpointError(
                    f"{repo_id} on the hub is not a {layout.form} checkpoint: missing "
                    f"{', '.join(absent)}."
                )
            return layout.select(files, layout.variant(files, half=half))

        folder = hub.download(repo_id, revision, select, say, alternatives)
    assert folder is not None
    variant = layout.variant(list_files(folder), half=half)
    return Checkpoint(name, repo_id, folder, layout, variant, commit=folder.name)
