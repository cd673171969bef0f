"""The Hugging Face hub and its cache on this machine; the only module that uses the network."""

from collections.abc import Callable, Iterable
from pathlib import Path

import httpx2
from huggingface_hub import (
    HfApi,
    constants,
    scan_cache_dir,
    snapshot_download,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (
    CacheNotFound,
    GatedRepoError,
    HFValidationError,
    IncompleteSnapshotError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from tqdm import tqdm

from monetize.errors import CheckpointError

WAYS_OUT = (
    "Ways out: connect to the internet and run the same command again; or, on a machine that "
    "is connected, run 'hf download {repo_id}' and copy the folder in HF_HOME here; or give a "
    "local folder in place of the name."
)


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


def download(
    repo_id: str,
    revision: str,
    choose: Callable[[list[str]], Iterable[str]],
    say: Callable[[str], None],
) -> Path:
    """Bring the files that `choose` picks from a repository's listing; returns their folder.

    `say` is told what is fetched and how large it is before the first byte. Raises
    CheckpointError, with the ways out, if the hub cannot be reached or refuses.
    """
    try:
        info = HfApi().model_info(repo_id, revision=revision, files_metadata=True)
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
        wanted = list(choose(list(sizes)))
        lacking = [
            name
            for name in wanted
            if not isinstance(try_to_load_from_cache(repo_id, name, revision=info.sha), str)
        ]
        size = tqdm.format_sizeof(sum(sizes[name] for name in lacking), "B")
        say(
            f"Downloading {repo_id} from the hub, once: {len(lacking)} files, {size}, "
            f"to {constants.HF_HUB_CACHE}"
        )
        return Path(snapshot_download(repo_id, revision=revision, allow_patterns=wanted))
    except GatedRepoError:
        raise CheckpointError(
            f"{repo_id} wants its licence accepted on its hub page first; then set HF_TOKEN."
        ) from None
    except RepositoryNotFoundError:
        raise CheckpointError(
            f"the hub has no {repo_id}, or it is private: check the name, or set HF_TOKEN."
        ) from None
    except RevisionNotFoundError:
        raise CheckpointError(f"{repo_id} has no revision {revision!r} on the hub.") from None
    except (OfflineModeIsEnabled, LocalEntryNotFoundError, httpx2.HTTPError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CheckpointError(
            f"{repo_id} is not on this machine, and the hub cannot be reached ({reason}). "
            + WAYS_OUT.format(repo_id=repo_id)
        ) from None


def cached_sizes() -> dict[str, int]:
    """Bytes that each repository takes in the cache."""
    try:
        return {repo.repo_id: repo.size_on_disk for repo in scan_cache_dir().repos}
    except CacheNotFound:
        return {}
