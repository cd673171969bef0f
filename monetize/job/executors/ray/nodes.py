"""What runs on the nodes of a cluster: facts about a node, and checkpoints found or made there."""

import os
import secrets
import shutil
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from monetize.checkpoints.resolve import Checkpoint, resolve
from monetize.checkpoints.single_file import CONFIGS
from monetize.devices import Placement
from monetize.errors import CheckpointError
from monetize.file_errors import explain_write_errors
from monetize.job.report import library_versions
from monetize.progress import Reporter


@dataclass(frozen=True)
class NodeFacts:
    """A node's name, the versions on it, and the kind of device that a worker has there."""

    name: str
    versions: Mapping[str, str]
    device: str

    @classmethod
    def here(cls, placement_type: str) -> "NodeFacts":
        """The facts of this node for `cuda` or `cpu`."""
        if placement_type == "cuda":
            device = torch.cuda.get_device_name(0)
        else:
            device = f"CPU ({torch.backends.cpu.get_cpu_capability()})"
        return cls(socket.gethostname(), library_versions(), device)


@dataclass(frozen=True)
class SentFiles:
    """Files in parts, which are objects of the cluster; `revision` differs if they do."""

    revision: str
    files: Mapping[str, Sequence[Any]]

    def unpack(self) -> Path:
        """Write the files once for all workers of this node, and keep them for the next job."""
        import ray

        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = home / "monetize" / "checkpoints" / self.revision.replace(":", "-")
        if folder.is_dir():
            return folder
        temporary = folder.with_name(f".{secrets.token_hex(8)}.part")
        with explain_write_errors(folder):
            try:
                for name, parts in self.files.items():
                    path = temporary / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with path.open("wb") as file:
                        for part in parts:
                            file.write(ray.get(part))
                try:
                    temporary.rename(folder)
                except OSError:
                    if not folder.is_dir():  # another worker was faster
                        raise
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
        return folder


@dataclass(frozen=True)
class SentCheckpoint:
    """A checkpoint of the driver, its revision, and its files if they are shipped.

    Those of LoRAs and textual inversions, which are small, always are. `offline` forbids nodes to
    download from the hub.
    """

    checkpoint: Checkpoint
    revision: str
    offline: bool = False
    files: SentFiles | None = None
    loras: Sequence[SentFiles] = ()
    embeddings: Sequence[SentFiles] = ()

    def find(self, placement: Placement, reporter: Reporter) -> Checkpoint:
        """Find the same checkpoint on this node; raises CheckpointError."""
        loras = [
            replace(lora, file=sent.unpack() / lora.file.name)
            for lora, sent in zip(self.checkpoint.loras, self.loras, strict=True)
        ]
        embeddings = [
            replace(embedding, file=sent.unpack() / embedding.file.name)
            for embedding, sent in zip(self.checkpoint.embeddings, self.embeddings, strict=True)
        ]
        found = self._unpacked(self.files) if self.files else self._found(placement, reporter)
        return replace(found, loras=tuple(loras), embeddings=tuple(embeddings))

    def _unpacked(self, files: SentFiles) -> Checkpoint:
        folder = files.unpack()
        if file := self.checkpoint.file:
            return replace(self.checkpoint, folder=CONFIGS, file=folder / file.name)
        return replace(self.checkpoint, folder=folder)

    def _found(self, placement: Placement, reporter: Reporter) -> Checkpoint:
        ours, node = self.checkpoint, socket.gethostname()
        name = ours.name if ours.bundled else ours.source
        if ours.commit:
            name = f"{ours.source}@{ours.commit}"
        elif not ours.bundled and not Path(name).exists():
            raise CheckpointError(
                f"{ours.layout.flag} {ours.name}: the node {node} has no {name}: copy it there, "
                "put it on a shared disk, or use --ship-checkpoint"
            )
        found = resolve(
            name, ours.layout, half=placement.half, offline=self.offline, say=reporter.say
        )
        if found.revision != self.revision:
            raise CheckpointError(
                f"{ours.layout.flag} {ours.name}: the node {node} has other files in "
                f"{found.weights_path} than this machine: make them equal, or use "
                "--ship-checkpoint"
            )
        return replace(ours, folder=found.folder, file=found.file, variant=found.variant)


class Notes(Reporter):
    """Keeps messages until they are sent to the driver."""

    def __init__(self) -> None:
        self._notes: list[tuple[str, str]] = []

    def say(self, text: str) -> None:
        """Keep a line of information."""
        self._notes.append(("say", text))

    def warn(self, text: str) -> None:
        """Keep a warning."""
        self._notes.append(("warn", text))

    def take(self) -> list[tuple[str, str]]:
        """Return the notes so far as (method of a reporter, text), and clear them."""
        notes, self._notes = self._notes, []
        return notes
