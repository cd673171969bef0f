"""Jobs whose zip goes to an S3-compatible store: a real one, on this machine."""

import json
import sys
from pathlib import Path

import pytest
import s3fs
from helpers import FinishedJob, Interrupt, Run, names, rows
from object_store import Bucket

from monetize.contest import rules
from monetize.errors import InputError
from monetize.job.outputs import Outputs
from monetize.job.workspace import Workspace
from monetize.painting.painter import Painter
from monetize.stores.remote_path import RemotePath

FILES = {"out/images.zip", "out/images.csv", "out/images.json"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, for the workspace."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def out(bucket: Bucket) -> str:
    return f"{bucket}/out/images.zip"


def test_a_zip_in_a_store_has_the_bytes_of_one_on_a_disk(
    run_job: Run, finished: FinishedJob, bucket: Bucket, photos: Path, here: Path, out: str
) -> None:
    (here / "images.zip").write_bytes(b"precious")
    (here / "images.html").write_bytes(b"precious")
    result = run_job(bucket.put_folder(photos, "photos"), out)
    assert result.exit_code == 0, result.stderr
    assert "Uploading: 1 megabyte\n" in result.stderr
    assert "Unfinished work is in images.zip.work; if the job stops" in result.stderr
    assert "The contest requires 7,000 to 10,000 images" in result.stderr
    assert result.stderr.rstrip().endswith(f"in {out}")
    assert {key for key in bucket.list() if key.startswith("out/")} == FILES
    assert bucket.get("out/images.zip") == finished.archive.read_bytes()
    assert bucket.get("out/images.csv") == finished.archive.with_suffix(".csv").read_bytes()
    assert json.loads(bucket.get("out/images.json"))["photos"] == f"{bucket}/photos"
    assert bucket.unfinished_uploads() == 0
    assert (here / "images.zip").read_bytes() == b"precious", "it has nothing to do with the job"
    assert names(here) == {"images.zip", "images.html"}

    again = run_job(photos, out)
    assert again.exit_code == 2
    assert f"{out} exists. Use --update" in again.stderr
    assert names(here) == {"images.zip", "images.html"}


def test_an_interrupted_job_goes_on(
    run_job: Run, finished: FinishedJob, bucket: Bucket, photos: Path, here: Path, out: str,
    interrupt_after: Interrupt, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    start = Painter.start
    interrupt_after(2)
    stopped = run_job(photos, out)
    assert stopped.exit_code == 130
    assert "2 of 6 paintings are kept in images.zip.work; the same command" in stopped.stderr
    assert not FILES & bucket.list()
    monkeypatch.setattr(Painter, "start", start)
    elsewhere = run_job(photos, f"{bucket}/elsewhere/images.zip")
    assert elsewhere.exit_code == 2
    assert f"OUT: {out} then, {bucket}/elsewhere/images.zip now" in elsewhere.stderr
    for other in (f"{bucket}/elsewhere/images.zip", "images.zip"):
        refused = run_job(photos, other, "--overwrite")
        assert refused.exit_code == 2
        assert f"images.zip.work holds the work of another output:\n  OUT: {out} then" in (
            refused.stderr
        )
    resumed = run_job(photos, out)
    assert resumed.exit_code == 0, resumed.stderr
    assert "Painting: 6 paintings, 2 of them already done" in resumed.stderr
    assert bucket.get("out/images.zip") == finished.archive.read_bytes()


def test_messages_name_the_zip_in_the_store(
    run_job: Run, bucket: Bucket, photos: Path, here: Path, out: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    outputs = Outputs.of_url(RemotePath.parse(out))
    with outputs.workspace:
        locked = run_job(photos, out)
    assert locked.exit_code == 2
    assert f"{out} is being written by another monetize run" in locked.stderr

    def refuse(path: Path, *_: object) -> None:
        raise InputError(f"{path}: it is damaged")

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rules, "check", refuse)
    with monkeypatch.context() as patch:
        patch.setattr(Workspace, "finish", stop)
        stopped = run_job(photos, out)
    assert stopped.exit_code == 130
    assert f"not checked: {out}: it is damaged" in stopped.stderr
    resumed = run_job(photos, out)
    assert resumed.exit_code == 0, resumed.stderr
    assert f"Not checked here: download {out} and run monetize check" in resumed.stderr
    assert "Painting" not in resumed.stderr
    assert names(here) == set()


# A part of the upload, or its end.
@pytest.mark.parametrize("failing", [pytest.param("PUT", marks=pytest.mark.slow), "POST"])
def test_an_upload_that_fails_half_way_leaves_no_zip_and_is_repeated(
    run_job: Run, finished: FinishedJob, bucket: Bucket, photos: Path, here: Path, out: str,
    monkeypatch: pytest.MonkeyPatch, failing: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)

    def refuse(request: str) -> tuple[str, str, str] | None:
        # The reports come before the zip; what is begun before the work is only to try.
        is_end = request.startswith(f"{failing} /{bucket.name}/out/images.zip?")
        if is_end and "uploadId" in request and "out/images.json" in bucket.list():
            return "503 Busy", "ServiceUnavailable", "come back later"
        return None

    bucket.server.refuse = refuse
    failed = run_job(photos, out)
    assert failed.exit_code == 1
    assert f"{out}: cannot be written: the store does not answer as expected" in failed.stderr
    assert "6 captions and 6 of 6 paintings are kept in images.zip.work" in failed.stderr
    assert "out/images.zip" not in bucket.list()
    assert bucket.unfinished_uploads() == 0
    bucket.server.refuse = lambda _: None
    repeated = run_job(photos, out)
    assert repeated.exit_code == 0, repeated.stderr
    assert bucket.get("out/images.zip") == finished.archive.read_bytes()
    assert names(here) == set()


def test_a_finished_zip_in_a_store_is_updated(
    run_job: Run, bucket: Bucket, photos: Path, here: Path, out: str
) -> None:
    photo = (photos / "photo5.jpg").read_bytes()
    (photos / "photo5.jpg").write_bytes(b"")
    first = run_job(photos, out)
    assert first.exit_code == 3
    assert "run the same command with --update" in first.stderr
    assert names(here) == {"images.zip.work"}
    (photos / "photo5.jpg").write_bytes(photo)
    updated = run_job(photos, out, "--update")
    assert updated.exit_code == 0, updated.stderr
    assert "Painting: 6 paintings, 5 of them already done" in updated.stderr
    assert names(here) == set()
    archive = bucket.get("out/images.zip")

    report = bucket.get("out/images.json")
    bucket.put("out/images.json", b"damaged")
    damaged = run_job(photos, out, "--update")
    assert damaged.exit_code == 1
    assert f"{bucket}/out/images.json: cannot be read" in damaged.stderr
    assert "finished." not in damaged.stderr
    bucket.delete("out/images.json")
    bucket.delete("out/images.zip")
    partial = run_job(photos, out, "--update")
    assert partial.exit_code == 2
    assert f"there is only {bucket}/out/images.csv" in partial.stderr
    bucket.put("out/images.json", report)
    bucket.put("out/images.zip", archive)

    (photos / "photo0.jpg").unlink()
    again = run_job(photos, out, "--update", "--work-folder", photos.parent)
    assert again.exit_code == 0, again.stderr
    assert f"Imported: 6 paintings from {out}" in again.stderr
    (here / "images.csv").write_bytes(bucket.get("out/images.csv"))
    assert len(rows(here / "images.csv")) == 5
    assert names(here) == {"images.csv"}
    assert names(photos.parent) == {"photos", "here"}


def test_a_place_that_cannot_be_written_is_refused_before_the_work(
    run_job: Run, bucket: Bucket, photos: Path, here: Path, out: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    without_package = run_job(photos, "gs://bucket/images.zip", "--overwrite")
    assert without_package.exit_code == 2
    assert "gs://bucket/images.zip: needs another package" in without_package.stderr
    not_atomic = run_job(photos, "hdfs:///images.zip", "--overwrite")
    assert not_atomic.exit_code == 2
    assert "only s3:// and gs:// can be written to" in not_atomic.stderr
    missing = run_job(photos, "s3://nobody-has-this/images.zip")
    assert missing.exit_code == 2
    assert "there is no bucket s3://nobody-has-this: create it" in missing.stderr
    refused = ("403 Forbidden", "AccessDenied", "Access Denied")
    bucket.server.refuse = lambda request: refused if not request.startswith("GET") else None
    denied = run_job(photos, out)
    assert denied.exit_code == 1
    assert f"{out}: cannot be written: permission denied" in denied.stderr
    assert names(here) == set()


@pytest.mark.slow
def test_machines_can_join_in_a_given_folder(
    run_job: Run, finished: FinishedJob, bucket: Bucket, photos: Path, here: Path, out: str
) -> None:
    joined = run_job(bucket.put_folder(photos, "photos"), out, "--join", "--work-folder", here)
    assert joined.exit_code == 0, joined.stderr
    assert bucket.get("out/images.zip") == finished.archive.read_bytes()
    late = run_job(f"{bucket}/photos", out, "--join", "--work-folder", here)
    assert late.exit_code == 0
    assert f"{out} is done already" in late.stderr
    assert names(here) == set()
