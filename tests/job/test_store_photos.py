"""Jobs whose photos are in an S3-compatible store: a real one, on this machine."""

import hashlib
import io
from pathlib import Path

import pytest
import s3fs
from helpers import FinishedJob, Interrupt, Run, Tiny, members, names, rows
from object_store import Bucket
from PIL import Image

from monetize.painting import spec
from monetize.painting.painter import Painter


@pytest.fixture
def stored(bucket: Bucket, photos: Path) -> str:
    """The URL of a copy of the photos."""
    return bucket.put_folder(photos, "holidays")


def test_photos_in_a_store_make_the_bytes_of_those_in_a_folder(
    run_job: Run, finished: FinishedJob, bucket: Bucket, stored: str, tmp_path: Path
) -> None:
    bucket.put("holidays/notes.txt", b"x")
    bucket.server.requests.clear()
    result = run_job(stored, tmp_path / "images.zip")
    assert result.exit_code == 0, result.stderr
    assert f"Photos: 6 in {stored} (passed over: 1 other file)" in result.stderr
    assert (tmp_path / "images.zip").read_bytes() == finished.archive.read_bytes()
    table = (tmp_path / "images.csv").read_bytes()
    assert table == finished.archive.with_suffix(".csv").read_bytes()
    assert names(tmp_path) == {"photos", "images.zip", "images.csv", "images.json"}
    # Once for its first bytes, to pass over paintings of monetize, and once to caption it.
    reads = [each for each in bucket.server.requests if each.startswith("GET") and "/photo" in each]
    assert len(reads) == 2 * 6


def test_unreadable_objects_are_listed_and_the_rest_is_painted(
    run_job: Run, bucket: Bucket, stored: str, tmp_path: Path
) -> None:
    bucket.put("holidays/photo0.jpg", b"\xff\xd8\xff damaged")
    bucket.put("holidays/photo1.jpg", b"")

    def refuse(request: str) -> tuple[str, str, str] | None:
        if "photo2" in request:
            bucket.delete("holidays/photo3.jpg")
            return "403 Forbidden", "AccessDenied", "Access Denied"
        return None

    bucket.server.refuse = refuse
    result = run_job(stored, tmp_path / "a.zip")
    assert result.exit_code == 3, result.stderr
    assert "4 of 6 photos could not be read:" in result.stderr
    reasons = {row["photo"]: row["error"] for row in rows(tmp_path / "a.csv") if row["error"]}
    assert reasons.pop("photo0.jpg")
    assert reasons == {
        "photo1.jpg": "empty file",
        "photo2.jpg": "permission denied (Access Denied): the credentials in use do not allow this",
        "photo3.jpg": "there is no such object or bucket",
    }
    assert set(members(tmp_path / "a.zip")) == {"photo4.jpg", "photo5.jpg"}


def test_an_interrupted_job_notices_what_has_changed_in_the_store(
    run_job: Run, bucket: Bucket, stored: str, photos: Path, tmp_path: Path,
    interrupt_after: Interrupt, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    start = Painter.start
    interrupt_after(2)
    stopped = run_job(stored, tmp_path / "a.zip")
    assert stopped.exit_code == 130
    assert "6 captions and 2 of 6 paintings are kept" in stopped.stderr
    bucket.put("holidays/photo0.jpg", (photos / "photo5.jpg").read_bytes())
    bucket.put("holidays/photo1.jpg", (photos / "photo1.jpg").read_bytes())  # the same again
    bucket.delete("holidays/photo2.jpg")
    monkeypatch.setattr(Painter, "start", start)
    resumed = run_job(stored, tmp_path / "a.zip")
    assert resumed.exit_code == 0, resumed.stderr
    assert "1 photo gone since this job began: photo2.jpg" in resumed.stderr
    assert "1 photo changed since being captioned, and will be captioned again: photo0.jpg" in (
        resumed.stderr
    )
    (photos / "photo2.jpg").unlink()
    (photos / "photo0.jpg").write_bytes((photos / "photo5.jpg").read_bytes())
    assert run_job(photos, tmp_path / "b.zip").exit_code == 0
    assert members(tmp_path / "a.zip") == members(tmp_path / "b.zip")


@pytest.mark.slow
def test_paintings_start_from_photos_in_a_store(
    run_job: Run, stored: str, photos: Path, tmp_path: Path
) -> None:
    options = ("--strength", 0.5, "--limit", 2, "--size", "fit")
    assert run_job(stored, tmp_path / "a.zip", *options).exit_code == 0
    assert run_job(photos, tmp_path / "b.zip", *options).exit_code == 0
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


@pytest.mark.slow
def test_several_processes_read_photos_in_a_store(
    run_job: Run, stored: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--strength", 0.5, "--limit", 2)
    assert run_job(photos, tmp_path / "a.zip", *options).exit_code == 0
    monkeypatch.setattr(spec, "every_device", lambda placement: [placement] * 2)
    result = run_job(stored, tmp_path / "b.zip", *options)
    assert result.exit_code == 0, result.stderr
    assert "on cpu, float32, 2 of them" in result.stderr
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_photo_that_is_replaced_while_the_job_runs_is_reported_as_it_was_painted(
    run_job: Run, bucket: Bucket, stored: str, photos: Path, tmp_path: Path
) -> None:
    other = (photos / "photo5.jpg").read_bytes()
    reads = []

    def replace(request: str) -> None:
        if request.startswith("GET") and "photo0" in request:
            reads.append(request)
            if len(reads) == 3:  # after its first bytes, and after it was captioned
                bucket.put("holidays/photo0.jpg", other)

    bucket.server.refuse = replace
    result = run_job(stored, tmp_path / "a.zip", "--strength", 0.5, "--limit", 1)
    assert result.exit_code == 0, result.stderr
    [row] = rows(tmp_path / "a.csv")
    assert row["photo_sha256"] == hashlib.sha256(other).hexdigest()


def test_a_painting_starts_from_a_photo_in_a_store(
    cli: Run, tiny: Tiny, stored: str, photos: Path, tmp_path: Path
) -> None:
    start = ("--strength", 0.5, "--init-image")
    command = ("paint", "a lake", "--model", tiny.painter, "--steps", 2, "--seed", 1, *start)
    made = cli(*command, f"{stored}/photo0.jpg", "-o", tmp_path / "a.png")
    assert made.exit_code == 0, made.stderr
    cli(*command, photos / "photo0.jpg", "-o", tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    missing = cli(*command, f"{stored}/photo9.jpg", "-o", tmp_path / "c.png")
    assert missing.exit_code == 1
    assert f"--init-image {stored}/photo9.jpg: there is no such object" in missing.stderr


def test_a_lost_connection_stops_a_job_that_goes_on_later(
    run_job: Run, finished: FinishedJob, bucket: Bucket, stored: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    asked = []

    def refuse(request: str) -> tuple[str, str, str] | None:
        if "photo5" in request:
            asked.append(request)
            if len(asked) > 1:  # after its first bytes
                return "503 Busy", "ServiceUnavailable", "come back later"
        return None

    bucket.server.refuse = refuse
    stopped = run_job(stored, tmp_path / "images.zip", "--caption-batch-size", 2)
    assert stopped.exit_code == 1
    assert f"{stored}/photo5.jpg: cannot be read: the store does not answer" in stopped.stderr
    assert "come back later" in stopped.stderr
    assert "are kept in" in stopped.stderr
    bucket.server.refuse = lambda _: None
    resumed = run_job(stored, tmp_path / "images.zip", "--caption-batch-size", 2)
    assert resumed.exit_code == 0, resumed.stderr
    assert "of them already done" in resumed.stderr
    assert len(members(tmp_path / "images.zip")) == 6


@pytest.mark.parametrize(
    ("url", "code", "message"),
    [
        ("s3://nobody-has-this/photos", 2, "there is no such object or bucket: check the name"),
        ("{bucket}/empty", 1, "no photos in this folder"),
        ("nowhere://bucket/photos", 2, "Protocol not known"),
        ("sftp://me:hunter2@host/photos", 2, "leave it out"),
    ],
)
def test_urls_without_photos_are_refused_before_anything_is_written(
    run_job: Run, bucket: Bucket, tmp_path: Path, url: str, code: int, message: str
) -> None:
    result = run_job(url.format(bucket=bucket), tmp_path / "a.zip")
    assert result.exit_code == code, result.stderr
    assert message in result.stderr
    assert "hunter2" not in result.output
    assert names(tmp_path) == set()


def test_photos_in_a_store_can_be_captioned_and_shown_in_a_gallery(
    cli: Run, run_job: Run, tiny: Tiny, bucket: Bucket, stored: str, tmp_path: Path
) -> None:
    captions = ("caption", "--captioner", tiny.captioner)
    result = cli(*captions, stored, "-o", tmp_path / "captions.csv")
    assert result.exit_code == 0, result.stderr
    assert [row["photo"] for row in rows(tmp_path / "captions.csv")] == [
        f"photo{number}.jpg" for number in range(6)
    ]
    assert cli(*captions, f"{stored}/photo0.jpg").stdout.count("\n") == 1
    refused = cli(*captions, stored, "--sidecar")
    assert refused.exit_code == 2
    assert "is in a store: write a table instead" in refused.stderr
    made = run_job(stored, tmp_path / "a.zip", "--gallery", "--limit", 1)
    assert made.exit_code == 0, made.stderr
    again = cli("gallery", tmp_path / "a.zip", "--overwrite")
    assert "names no folder of photos on a disk" in again.stderr
    assert not (tmp_path / "a.gallery" / "photos" / "photo0.jpg").exists()
    assert cli("gallery", tmp_path / "a.zip", "--overwrite", "--photos", stored).exit_code == 0
    photo = Image.open(io.BytesIO((tmp_path / "a.gallery" / "photos" / "photo0.jpg").read_bytes()))
    assert photo.format == "JPEG"
    bucket.delete("holidays/photo0.jpg")
    gone = cli("gallery", tmp_path / "a.zip", "--overwrite", "--photos", stored)
    assert f"Missing from {stored}: 1 of 1 photo" in gone.stderr


@pytest.mark.parametrize("option", ["--output-folder", "--captions"])
def test_other_paths_of_a_command_must_be_on_a_disk(
    run_job: Run, photos: Path, tmp_path: Path, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run_job(photos, option, "s3://bucket/file")
    assert result.exit_code == 2
    assert "is a URL, but this must be a file or folder on a disk" in result.stderr
    assert names(tmp_path) == {"photos"}
