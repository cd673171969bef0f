"""Downloads from the Hugging Face hub and its cache; the only module that uses the network."""

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

from monetize.errors import CheckpointError
from monetize.file_errors import REASONS, explain_write_errors
from monetize.messages import counted, first_line


def cached_snapshot(repo_id: str, revision: str) -> Path | None:
    """Return the folder of a cached repository, complete or not; None if it is not cached."""
    try:
        return Path(snapshot_download(repo_id, revision=revision, local_files_only=True))
    except IncompleteSnapshotError as error:
        return Path(error.snapshot_path)
    except LocalEntryNotFoundError:
        return None
    except HFValidationError as error:
        raise CheckpointError(f"{repo_id!r} is not a hub id: {error}") from None


class HiddenBar(tqdm):  # type: ignore[misc]
    """A progress bar that is never shown."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "disable": True})


def download(
    repo_id: str,
    revision: str,
    select: Callable[[list[str]], Iterable[str]],
    say: Callable[[str], None],
    alternatives: str,
) -> Path:
    """Download the files that `select` chooses from a repository's listing; returns their folder.

    `say` announces the download and its size before it begins. Raises CheckpointError if the hub
    refuses or, with the alternatives, if it cannot be reached, and StorageError if the cache
    cannot be written.
    """
    try:
        files = snapshot_download(repo_id, revision=revision, dry_run=True, tqdm_class=HiddenBar)
        listing = {file.filename: file for file in files}
        wanted = list(select(list(listing)))
        missing = [listing[name] for name in wanted if listing[name].will_download]
        size = tqdm.format_sizeof(sum(file.file_size or 0 for file in missing), "B")
        say(
            f"Downloading {repo_id} from the hub, once: {counted(len(missing), 'file')}, {size}, "
            f"to {constants.HF_HUB_CACHE}"
        )
        return Path(snapshot_download(repo_id, revision=revision, allow_patterns=wanted))
    except RevisionNotFoundError:
        raise CheckpointError(f"{repo_id} has no revision {revision!r} on the hub.") from None
    except OSError as error:
        if error.errno in REASONS:
            with explain_write_errors(Path(constants.HF_HUB_CACHE)):
                raise
        # The cause of a failed listing has the reason.
        cause = error.__cause__ if isinstance(error, DryRunError) else error
        raise CheckpointError(_download_error(repo_id, cause, alternatives)) from None


def _download_error(repo_id: str, cause: BaseException | None, alternatives: str) -> str:
    if isinstance(cause, GatedRepoError):
        return f"accept the license of {repo_id} on its hub page first, then set HF_TOKEN."
    if isinstance(cause, RepositoryNotFoundError):
        return f"{repo_id} is not on the hub, or it is private: check the name, or set HF_TOKEN."
    return (
        f"{repo_id} is neither a local folder nor in the hub's cache on this machine, and the hub "
        f"cannot be reached ({first_line(cause)}). {alternatives}"
    )
