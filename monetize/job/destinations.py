"""Where the finished files of a job get their final names: on a disk, or in a store."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from monetize.atomic_files import flush_folder
from monetize.errors import StorageError, UsageError
from monetize.file_errors import explain_read_errors, explain_write_errors, reason
from monetize.messages import printable
from monetize.progress import Reporter
from monetize.stores.files import check_writable, exists, upload
from monetize.stores.remote_path import AnyPath, RemotePath

MEGABYTE = 1_000_000


class Destination:
    """Folders on a disk; packed files are renamed there."""

    def locate(self, path: Path) -> AnyPath:
        """Where a file of the outputs is."""
        return path

    def exists(self, path: Path) -> bool:
        """Whether a file of the outputs is there; raises StorageError."""
        return path.exists()

    def publish(self, files: Sequence[tuple[Path, Path]], reporter: Reporter) -> None:
        """Give packed files their final names, in this order; raises StorageError."""
        _, last = files[-1]
        with explain_write_errors(last):
            for packed, path in files:
                packed.replace(path)
            flush_folder(last.parent)


@dataclass(frozen=True)
class StoreDestination(Destination):
    """A folder in a store; packed files are uploaded, and appear there complete or not at all."""

    folder: RemotePath

    def locate(self, path: Path) -> RemotePath:
        """The URL of a file of the outputs."""
        return self.folder / path.name

    def exists(self, path: Path) -> bool:
        """Whether a file of the outputs is in the store; raises StorageError."""
        url = self.locate(path)
        try:
            return exists(url)
        except OSError as error:
            raise StorageError(f"{printable(url)}: cannot be looked up: {reason(error)}") from error

    def check(self, path: Path) -> None:
        """Try to begin an upload; raises UsageError without such a bucket, and StorageError."""
        url = self.locate(path)
        with explain_write_errors(url):
            try:
                check_writable(url)
            except FileNotFoundError:
                raise UsageError(
                    f"{printable(url)}: there is no bucket {url.root}: create it, or check the name"
                ) from None

    def publish(self, files: Sequence[tuple[Path, Path]], reporter: Reporter) -> None:
        """Upload packed files, and remove them here; raises StorageError."""
        with explain_read_errors(files[-1][0]):
            size = sum(packed.stat().st_size for packed, _ in files)
        with reporter.stage("Uploading", -(-size // MEGABYTE), "megabyte") as progress:
            sent = 0

            def advance(count: int) -> None:
                nonlocal sent
                before, sent = sent, sent + count
                progress.advance(-(-sent // MEGABYTE) - -(-before // MEGABYTE))

            for packed, path in files:
                url = self.locate(path)
                with explain_write_errors(url):
                    upload(packed, url, advance)
                with explain_write_errors(packed):
                    packed.unlink()
