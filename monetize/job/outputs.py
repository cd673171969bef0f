"""Where a job writes: a zip with its reports next to it, or a folder with its reports in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from monetize.images.photos import OUTPUT_MARK
from monetize.job.destinations import Destination, StoreDestination
from monetize.job.workspace import Workspace
from monetize.stores.remote_path import AnyPath, RemotePath


@dataclass(frozen=True)
class Outputs:
    """The files that a job writes: paintings in `out`, CSV and JSON reports, and a page next to it.

    The reports of a zip have its name; those in a folder are called monetize, so that the folder
    can be moved as a whole, and is recognized among photos.

    With `store`, the outputs get their final names in that folder of a store, and `out` says only
    where the workspace is.
    """

    out: Path
    is_folder: bool = False
    store: RemotePath | None = None

    @classmethod
    def of_folder(cls, folder: Path) -> Self:
        """The outputs of `--output-folder`, also for a path such as `.`."""
        return cls(folder if folder.name not in ("", "..") else folder.resolve(), is_folder=True)

    @classmethod
    def of_url(cls, url: RemotePath, work_folder: Path | None = None) -> Self:
        """The outputs of a zip in a store, with the workspace in a folder, or the current one."""
        return cls((work_folder or Path()) / url.name, store=url.parent)

    @classmethod
    def of(cls, out: Path) -> Self:
        """The outputs of a finished job, whether `out` is a zip or a folder."""
        return cls.of_folder(out) if out.is_dir() else cls(out)

    @property
    def destination(self) -> Destination:
        """Where the files get their final names."""
        return StoreDestination(self.store) if self.store else Destination()

    @property
    def name(self) -> AnyPath:
        """What the user calls `out`."""
        return self.destination.locate(self.out)

    @property
    def kind(self) -> str:
        """What `out` is, in a word."""
        return "folder" if self.is_folder else "zip"

    @property
    def table(self) -> Path:
        """A row for each photo."""
        return self.summary.with_suffix(".csv")

    @property
    def summary(self) -> Path:
        """Settings, checkpoints, counts."""
        return self.out / OUTPUT_MARK if self.is_folder else self.out.with_suffix(".json")

    @property
    def page(self) -> Path:
        """The gallery, if one is wanted."""
        if self.is_folder:
            return self.out.with_name(f"{self.out.name}.html")
        return self.out.with_suffix(".html")

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of these outputs whose names are known before the job."""
        reports = (self.table, self.summary)
        return reports if self.is_folder else (self.out, *reports)

    @property
    def last(self) -> Path:
        """The file that is put in place last: the job is finished if it is there."""
        return self.table if self.is_folder else self.out

    @property
    def workspace(self) -> Workspace:
        """The folder that makes the job resumable: OUT.work."""
        return Workspace(self.out, self.last, destination=self.destination)

    @property
    def shared_workspace(self) -> Workspace:
        """The same folder for several processes that work on the job."""
        return Workspace(self.out, self.last, join=True, destination=self.destination)
