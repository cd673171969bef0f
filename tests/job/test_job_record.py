"""What a workspace remembers of its job, and what is refused or reported when it continues."""

from pathlib import Path

import pytest

from monetize.errors import UsageError
from monetize.job.job_record import JobRecord
from monetize.job.leases import Leases
from monetize.job.outcome import Outcome
from monetize.job.workspace import Workspace
from monetize.job.workspace_access import LEASES, WorkspaceAccess


def record(folder: Path) -> JobRecord:
    return JobRecord(folder / "job.json", WorkspaceAccess(folder / "out.zip", folder, join=False))


def begin(job: JobRecord, *photos: str, may_replace: bool = False) -> list[str]:
    return job.begin({"--seed": 1}, photos, {}, may_replace=may_replace)


def test_other_settings_are_refused_with_both_values(tmp_path: Path) -> None:
    begun = {"--seed": 1, "--num-inference-steps": 50, "--weight": []}
    now = {"--seed": 1, "--num-inference-steps": 20, "--weight": ["x=1"]}
    with Workspace(tmp_path / "out.zip") as workspace:
        workspace.begin(begun, [], {})
        workspace.begin(dict(begun), [], {})
        with pytest.raises(UsageError) as refused:
            workspace.begin(now, [], {})
        workspace.begin(now, [], {}, overwrite=True)
    message = str(refused.value)
    assert "--num-inference-steps: 50 then, 20 now" in message
    assert "--weight: none then, x=1 now" in message
    assert "--seed" not in message
    assert "--overwrite to start again" in message


def test_changed_photos_and_versions_are_reported(tmp_path: Path) -> None:
    with Workspace(tmp_path / "out.zip") as workspace:
        assert workspace.begin({}, ["a", "b"], {"torch": "1"}) == []
        assert workspace.begin({}, ["b", "c"], {"torch": "2"}) == [
            "1 photo new since this job began: c",
            "1 photo gone since this job began: a",
            "torch: 1 then, 2 now",
        ]
        assert workspace.begin({}, ["b", "c"], {"torch": "1"}) == []


@pytest.mark.parametrize("damaged", [b"", b"{", b"null", b'{"settings": {}}', b"[" * 100_000])
def test_a_damaged_job_file_is_written_again_and_the_work_is_kept(
    tmp_path: Path, damaged: bytes
) -> None:
    with Workspace(tmp_path / "out.zip") as workspace:
        workspace.begin({"--seed": 1}, ["a.jpg"], {})
        workspace.save_captions({"a.jpg": "a"})
        (workspace.folder / "job.json").write_bytes(damaged)
        [change] = workspace.begin({"--seed": 2}, ["a.jpg"], {})
        assert "job.json was damaged and is written again" in change
        assert workspace.captions() == {"a.jpg": "a"}
        assert workspace.begin({"--seed": 2}, ["a.jpg"], {}) == []


def test_a_job_keeps_its_first_batch_plan(tmp_path: Path) -> None:
    job = record(tmp_path)
    begin(job, "a.jpg")
    assert job.batch_plan is None
    job.keep_batch_plan({"batch_size": 2})
    job.keep_batch_plan({"batch_size": 4})
    assert record(tmp_path).batch_plan == {"batch_size": 2}
    assert begin(job, "a.jpg") == []
    assert job.batch_plan == {"batch_size": 2}, "continuing a job keeps the rest of its record"


def test_a_job_may_replace_outputs_if_allowed_or_if_it_has_begun_to(tmp_path: Path) -> None:
    job = record(tmp_path)
    assert (job.started, job.may_replace) == (False, False)
    begin(job)
    assert (job.started, job.may_replace) == (True, False)
    outcome = Outcome(2, 1, {"c.jpg": "empty file"}, 512, "0f" * 32)
    job.update(publishing=outcome.to_json())
    assert job.may_replace
    assert job.publishing == outcome
    job.remove()
    assert not job.started
    begin(job, may_replace=True)
    begin(job)
    assert job.may_replace, "continuing a job needs no second permission"


def test_other_photos_are_refused_only_while_others_work(tmp_path: Path) -> None:
    begin(record(tmp_path), "a.jpg")
    access = WorkspaceAccess(tmp_path / "out.zip", tmp_path, join=True)
    joined = JobRecord(tmp_path / "job.json", access)
    access.enter(lambda: None)
    with Leases(tmp_path / LEASES):
        assert begin(joined, "a.jpg") == []
        with pytest.raises(UsageError, match="others work on other photos: stop them all first"):
            begin(joined, "b.jpg")
        assert joined.photos == ["a.jpg"]
    assert begin(joined, "b.jpg") == [
        "1 photo new since this job began: b.jpg",
        "1 photo gone since this job began: a.jpg",
    ]
    access.end_leases()
    access.release()
