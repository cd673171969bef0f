"""The Hugging Face hub and its cache on this machine; the only module that uses the network."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from huggingface_hub import constants, snapshot_download
from huggingface_hub.errors import (
    DryRunError,
    GatedRepoError,
    HFValidationError,
    IncompleteSnapshotError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from tqdm import tqdm

from monetize.atomic_files import REASONS, explained
from monetize.errors import CheckpointError
from monetize.messages import counted, first_line


def cached_snapshot(repo_id: str, revision: str) -> Path | None:
    """The folder of a repository's files in the cache, complete or not; None if there is none."""
    try:
        return Path(snapshot_download(repo_id, revision=revision, local_files_only=True))
    except IncompleteSnapshotError as error:
        return Path(error.snapshot_path)
    except LocalEntryNotFoundError:
        return None
    except HFValidationError as error:
        raise CheckpointError(f"{repo_id!r} is not a hub id: {error}") from None


class Silent(tqdm):  # type: ignore[misc]
    """A bar that is not shown: asking what there is to fetch takes no time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "disable": True})


def download(
    repo_id: str,
    revision: str,
    choose: Callable[[list[str]], Iterable[str]],
    say: Callable[[str], None],
    ways_out: str,
) -> Path:
    """Bring the files that `choose` picks from a repository's listing; returns their folder.

    `say` is told what is fetched and how large it is before the first byte. Raises
    CheckpointError if the hub refuses or, with the ways out, if it cannot be reached, and
    StorageError if the cache cannot be written.
    """
    try:
        files = snapshot_download(repo_id, revision=revision, dry_run=True, tqdm_class=Silent)
        listing = {file.filename: file for file in files}
        wanted = list(choose(list(listing)))
        lacking = [listing[name] for name in wanted if listing[name].will_download]
        size = tqdm.format_sizeof(sum(file.file_size or 0 for file in lacking), "B")
        say(
            f"Downloading {repo_id} from the hub, once: {counted(len(lacking), 'file')}, {size}, "
            f"to {constants.HF_HUB_CACHE}"
        )
        return Path(snapshot_download(repo_id, revision=revision, allow_patterns=wanted))
    except RevisionNotFoundError:
        raise CheckpointError(f"{repo_id} has no revision {revision!r} on the hub.") from None
    except OSError as error:
        if error.errno in REASONS:
            with explained(Path(constants.HF_HUB_CACHE)):
                raise
        # A listing that failed says why in its cause.
        cause = error.__cause__ if isinstance(error, DryRunError) else error
        raise CheckpointError(_why_not(repo_id, cause, ways_out)) from None


def _why_not(repo_id: str, cause: BaseException | None, ways_out: str) -> str:
    if isinstance(cause, GatedRepoError):
        return f"{repo_id} wants its licence accepted on its hub page first; then set HF_TOKEN."
    if isinstance(cause, RepositoryNotFoundError):
        return f"the hub has no {repo_id}, or it is private: check the name, or set HF_TOKEN."
    return (
        f"{repo_id} is neither a folder here nor in the hub's cache on this machine, and the hub "
        f"cannot be reached ({first_line(cause)}). {ways_out}"
    )
