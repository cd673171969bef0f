"""Names → folders of checkpoint files: the known names, local folders, the hub; no torch."""

import difflib
import hashlib
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from monetize.checkpoints import hub
from monetize.checkpoints.layout import CAPTIONER, PAINTER, Layout
from monetize.errors import CheckpointError, UsageError

Say = Callable[[str], None]


# The name that stands for the real checkpoint where CUDA is there, and for pocket elsewhere.
AUTO = "auto"
POCKET = "pocket"
POCKET_FOLDER = Path(__file__).parent.parent / POCKET


@dataclass(frozen=True)
class KnownModel:
    """A checkpoint that has a short name here; it lies in the package's `folder` or on the hub.

    The last two are what a painter uses where the settings leave them open.
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
        "small ViT and GPT-2, trained on captions of landscapes; comes with monetize",
        folder=POCKET_FOLDER / "captioner",
    ),
    KnownModel(
        POCKET,
        PAINTER,
        "small Stable Diffusion, 128 × 128, for landscapes; comes with monetize",
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

    `name` is what the user asked for, `source` the hub id or the folder that it stands for,
    `commit` the hub's commit, None for a folder. `variant` is that of the weights to load. The
    last two are what this painter uses where the settings leave them open.
    """

    name: str
    source: str
    folder: Path
    layout: Layout
    variant: str | None = None
    commit: str | None = None
    num_inference_steps: int = KnownModel.num_inference_steps
    guidance_scale: float = KnownModel.guidance_scale

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
    known = {model.name: model for model in KNOWN if model.layout.flag == layout.flag}
    if name in known and (packaged := known[name].folder):
        return _packaged(known[name], packaged, layout)
    folder = Path(os.path.expanduser(name))  # noqa: PTH111 - Path's fails for an unknown user
    if folder.exists():
        return _local(name, folder, layout, half)
    repo_id, _, revision = name.partition("@")
    if repo_id in known and known[repo_id].repo_id:
        repo_id = known[repo_id].repo_id
    elif not re.fullmatch(r"[\w.-]+/[\w.-]+", repo_id) or repo_id.startswith("."):
        near = difflib.get_close_matches(repo_id, known, n=1)
        raise UsageError(
            f"{layout.flag} {name}: no such folder here, "
            f"and not a known name ({', '.join(known)}) nor a hub id (OWNER/NAME)."
            + (f" Did you mean {near[0]}?" if near else "")
        )
    return _from_hub(name, repo_id, revision or "main", layout, half, offline, say)


def choose(name: str, flag: str, device: str) -> tuple[str, str]:
    """What `auto` stands for on a kind of device, and why, as words to put behind the name.

    Any other name is returned as it is, with no words.
    """
    if name != AUTO:
        return name, ""
    real = next(model.name for model in KNOWN if model.layout.flag == flag and model.repo_id)
    if device == "cuda":
        return real, f" (auto: there is a CUDA GPU; {flag} {POCKET} is small and quick)"
    return POCKET, f" (auto: no CUDA GPU in use; the real one is {flag} {real})"


def is_cached(model: KnownModel) -> bool:
    """Whether a known model can be loaded without the network."""
    if model.folder is not None:
        return True
    folder = hub.cached_snapshot(model.repo_id, "main")
    return folder is not None and not model.layout.missing(list_files(folder))


def list_files(folder: Path) -> list[str]:
    """The files below a folder as relative names with `/`."""
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


def _packaged(model: KnownModel, folder: Path, layout: Layout) -> Checkpoint:
    missing = layout.missing(list_files(folder))
    if missing:
        raise CheckpointError(
            f"{layout.flag} {model.name} comes without {', '.join(missing)}: "
            + (
                "give another --model for --safety-checker."
                if layout.parts != model.layout.parts
                else f"this installation of monetize is damaged ({folder}); install it again."
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
            f"commands), copy the folder here, and name it: {layout.flag} FOLDER; or use the "
            f"small one that comes with monetize: {layout.flag} {POCKET}."
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
