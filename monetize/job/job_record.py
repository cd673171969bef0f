"""job.json: a job's settings and photos, and how far publishing its outputs has come."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monetize.errors import UsageError
from monetize.file_errors import explain_write_errors
from monetize.job.changes import check_out, check_settings, differences, photo_changes
from monetize.job.outcome import Outcome
from monetize.job.sealed_json import read_sealed, write_sealed
from monetize.job.workspace_access import WorkspaceAccess
from monetize.messages import printable


class JobRecord:
    """The record of a job in its workspace, read anew each time: others may have changed it.

    A record that is missing or damaged has nothing in it.
    """

    def __init__(self, path: Path, access: WorkspaceAccess) -> None:
        self._path = path
        self._access = access

    @property
    def started(self) -> bool:
        """Whether a job has begun here, in this or an earlier process."""
        return self._path.exists()

    @property
    def photos(self) -> Sequence[str]:
        """The keys of the job's photos."""
        photos: Sequence[str] = self._read().get("photos", ())
        return photos

    @property
    def may_replace(self) -> bool:
        """Whether the job was allowed to replace an existing output, or had begun to."""
        job = self._read()
        return bool(job.get("overwrite") or job.get("publishing"))

    @property
    def reported(self) -> bool:
        """Whether the reports next to the output are those of this job."""
        return bool(self._read().get("reported"))

    @property
    def publishing(self) -> Outcome | None:
        """The outcome of a job that has begun to publish its outputs; None before that."""
        outcome = self._read().get("publishing")
        return Outcome.from_json(outcome) if outcome else None

    def check_out(self, settings: Mapping[str, Any]) -> None:
        """Raise UsageError if this is the record of a job with another output."""
        if before := self._read():
            check_out(self._path.parent, before["settings"], settings)

    @property
    def batch_plan(self) -> Mapping[str, Any] | None:
        """How the paintings so far were batched; None before the first."""
        return self._read().get("batch_plan")

    def keep_batch_plan(self, plan: Mapping[str, Any]) -> None:
        """Keep how a job's paintings are batched, so that it continues in the same way."""
        if self.batch_plan is None:
            self.update(batch_plan=dict(plan))

    def begin(
        self,
        settings: Mapping[str, Any],
        photos: Sequence[str],
        versions: Mapping[str, str],
        *,
        may_replace: bool,
    ) -> list[str]:
        """Write the record of a job that begins or is continued.

        Returns what is different since it began, in words: photos and library versions. Raises
        UsageError for other settings, and for other photos while others work on the job.
        """
        before = self._read()
        changes = self._changes(before, settings, photos, versions)
        self._write(
            {
                **before,
                "settings": settings,
                "photos": list(photos),
                "versions": before.get("versions", dict(versions)),
                "overwrite": may_replace or before.get("overwrite", False),
            }
        )
        return changes

    def _changes(
        self,
        before: Mapping[str, Any],
        settings: Mapping[str, Any],
        photos: Sequence[str],
        versions: Mapping[str, str],
    ) -> list[str]:
        if not self.started:
            return []
        if not before:
            return [f"{printable(self._path)} was damaged and is written again"]
        folder = self._path.parent
        check_settings(folder, before["settings"], json.loads(json.dumps(settings)))
        changes = photo_changes(before["photos"], photos)
        if changes and self._access.others():
            raise UsageError(
                f"{printable(folder)}: others work on other photos: stop them all first",
                *(f"  {change}" for change in changes),
            )
        return changes + differences(before["versions"], versions)

    def update(self, **values: Any) -> None:
        """Change values of the record; raises StorageError."""
        with self._access.locked():
            self._write({**self._read(), **values})

    def remove(self) -> None:
        """Remove the record, and with it the job; raises StorageError."""
        with explain_write_errors(self._path):
            self._path.unlink(missing_ok=True)

    def _read(self) -> dict[str, Any]:
        job: dict[str, Any] = read_sealed(self._path) or {}
        return job

    def _write(self, job: Mapping[str, Any]) -> None:
        write_sealed(self._path, job)
