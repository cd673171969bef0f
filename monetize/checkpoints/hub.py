"""Downloads from the Hugging Face hub and its cache; the only module that uses the network."""

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from monetize.errors import CheckpointError, StorageError, UsageError
from monetize.file_errors import REASONS, explain_read_errors, reason
from monetize.home_folder import ensure_home
from monetize.interruption import raise_if_interrupted
from monetize.messages import counted, first_line, printable

# Errors of the cache's disk; all others are of the network.
CACHE_ERRORS = frozenset([*REASONS, errno.ENOTDIR])


def import_hub() -> None:
    """Import huggingface_hub, which reads its settings from the environment on import.

    Raises UsageError if it cannot read one of them.
    """
    ensure_home()
    try:
        from huggingface_hub import snapshot_download  # noqa: F401
    except ValueError as error:
        raise UsageError(
            f"huggingface_hub cannot read its environment variables: {first_line(error)}. "
            f"Check {_variables('HF_')}."
        ) from error


def cached_snapshot(repo_id: str, revision: str) -> Path | None:
    """Return the folder of a cached repository, complete or not; None if it is not cached.

    Raises StorageError if the cache cannot be read.
    """
    import_hub()
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import (
        HFValidationError,
        IncompleteSnapshotError,
        LocalEntryNotFoundError,
    )

    try:
        with explain_read_errors(Path(constants.HF_HUB_CACHE)):
            return Path(snapshot_download(repo_id, revision=revision, local_files_only=True))
    except StorageError as error:
        # The library's own errors are OSErrors, too.
        cause = error.__cause__
        if isinstance(cause, IncompleteSnapshotError):
            return Path(cause.snapshot_path)
        if isinstance(cause, LocalEntryNotFoundError):
            return None
        raise
    except HFValidationError as error:
        raise CheckpointError(f"{repo_id!r} is not a hub id: {error}") from None


def cached_repositories() -> list[tuple[str, Path]]:
    """Return the id and the folder of each model in the cache, of the revision used last."""
    import_hub()
    from huggingface_hub import constants, scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        cache = scan_cache_dir(constants.HF_HUB_CACHE)
    except (CacheNotFound, OSError):
        return []
    models = sorted(
        (repo for repo in cache.repos if repo.repo_type == "model" and repo.revisions),
        key=lambda repo: repo.repo_id,
    )
    return [
        (repo.repo_id, max(repo.revisions, key=lambda each: each.last_modified).snapshot_path)
        for repo in models
    ]


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
    import_hub()
    from huggingface_hub import constants, snapshot_download

    with _explained(repo_id, revision, alternatives):
        files = snapshot_download(repo_id, revision=revision, dry_run=True, tqdm_class=HiddenBar)
    listing = {file.filename: file for file in files}
    wanted = list(select(list(listing)))
    missing = [listing[name] for name in wanted if listing[name].will_download]
    size = tqdm.format_sizeof(sum(file.file_size or 0 for file in missing), "B")
    say(
        f"Downloading {repo_id} from the hub, once: {counted(len(missing), 'file')}, {size}, "
        f"to {constants.HF_HUB_CACHE}"
    )
    with _explained(repo_id, revision, alternatives):
        return Path(snapshot_download(repo_id, revision=revision, allow_patterns=wanted))


@contextmanager
def _explained(repo_id: str, revision: str, alternatives: str) -> Iterator[None]:
    """Turn the errors of a download into one line.

    The HTTP library raises errors of many kinds for an address or a proxy that it cannot use, so
    only calls of huggingface_hub belong in such a block.
    """
    from huggingface_hub.errors import DryRunError

    try:
        yield
    except Exception as error:
        raise_if_interrupted(error)
        # The cause of a failed listing has the reason.
        cause = error.__cause__ if isinstance(error, DryRunError) else error
        if isinstance(cause, OSError) and cause.errno in CACHE_ERRORS:
            raise _cache_error(cause) from error
        raise CheckpointError(_download_error(repo_id, revision, cause, alternatives)) from error


def _cache_error(cause: OSError) -> StorageError:
    from huggingface_hub import constants

    return StorageError(
        f"{printable(constants.HF_HUB_CACHE)}: cannot be written: {reason(cause)}. Set HF_HOME to "
        "a folder that can, to keep the hub's cache there."
    )


def _download_error(
    repo_id: str, revision: str, cause: BaseException | None, alternatives: str
) -> str:
    from huggingface_hub.errors import (
        GatedRepoError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if isinstance(cause, RevisionNotFoundError):
        return f"{repo_id} has no revision {revision!r} on the hub."
    if isinstance(cause, GatedRepoError):
        return f"accept the license of {repo_id} on its hub page first, then set HF_TOKEN."
    if isinstance(cause, RepositoryNotFoundError):
        return f"{repo_id} is not on the hub, or it is private: check the name, or set HF_TOKEN."
    hint = (
        ""
        if isinstance(cause, OSError)
        else f"Check {_variables('HF_ENDPOINT', 'HF_TOKEN', '_PROXY')}. "
    )
    return (
        f"{repo_id} is neither a local folder nor in the hub's cache on this machine, and the hub "
        f"cannot be reached ({first_line(cause)}). {hint}{alternatives}"
    )


def _variables(*parts: str) -> str:
    """Return the names of the environment variables that are set and have one of these parts.

    Variables that only switch something on are left out.
    """
    names = [
        name
        for name, value in sorted(os.environ.items())
        if value != "1" and any(part in name.upper() for part in parts)
    ]
    return f"the environment variables {', '.join(names)}" if names else "your network settings"
