import pickle
from pathlib import Path

import pytest

from monetize.errors import UsageError
from monetize.stores.remote_path import RemotePath, any_path, is_url


def test_urls_are_told_from_paths() -> None:
    assert is_url("s3://bucket/photos")
    assert is_url("memory://a\nb")
    assert not is_url("photos/a:b")
    assert not is_url("C://photos")
    assert not is_url("s3:/photos")


def test_names_are_those_of_a_path() -> None:
    path = RemotePath.parse("s3://bucket/a/photo.1.jpg")
    local = Path("/bucket/a/photo.1.jpg")
    assert (path.name, path.stem) == (local.name, local.stem)
    assert str(path.parent) == "s3://bucket/a"
    assert str(path.parent / "b.jpg") == "s3://bucket/a/b.jpg"
    assert pickle.loads(pickle.dumps(path)) == path


def test_a_bucket_is_the_top() -> None:
    bucket = RemotePath.parse("s3://bucket/")
    assert str(bucket) == "s3://bucket"
    assert bucket.parent == bucket
    assert bucket.name == "bucket"
    assert RemotePath.parse("gs://bucket/a/").root == "gs://bucket"
    assert RemotePath.parse("gs://bucket/a/").scheme == "gs"


@pytest.mark.parametrize(
    "url",
    [
        "sftp://me:hunter2@host/photos",
        "sftp://me:2x/hunter2@host/photos",
        "s3://AKIA:hunt/hunter2@bucket/photos",
        "https://host/photos?signature=hunter2",
        "HTTPS://host/photos?signature=hunter2",
    ],
)
def test_secrets_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError, match="leave it out") as caught:
        RemotePath.parse(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "s3://bucket/10:30/me@home",
        "sftp://me@host:22/photos/me@home",
        "github://organization:repository@main/photos",
    ],
)
def test_what_is_no_password_is_taken(url: str) -> None:
    assert str(RemotePath.parse(url)) == url


def test_kinds_of_stores_have_one_name() -> None:
    assert str(RemotePath.parse("S3://Bucket/A")) == "s3://Bucket/A"
    assert str(RemotePath.parse("s3a://bucket/a")) == "s3://bucket/a"
    assert str(RemotePath.parse("gcs://bucket/a")) == "gs://bucket/a"


@pytest.mark.parametrize(
    "path",
    ["/bucket/photos", "bucket//photos", "bucket/photos//", "bucket/./photos", "bucket/photos/.."],
)
def test_parts_of_a_path_that_are_no_names_are_refused(path: str) -> None:
    with pytest.raises(UsageError, match=r"no part of a path|names no bucket"):
        RemotePath.parse(f"s3://{path}")


@pytest.mark.parametrize(
    ("url", "path"), [("file:///tmp/a", "/tmp/a"), ("FILE://a.zip", "a.zip"), ("local://a", "a")]
)
def test_a_url_of_a_file_on_a_disk_is_refused(url: str, path: str) -> None:
    with pytest.raises(UsageError, match=f"give its path, such as {path}$"):
        RemotePath.parse(url)


def test_chained_urls_are_refused() -> None:
    with pytest.raises(UsageError, match="chained URLs"):
        RemotePath.parse("zip://a::s3://bucket/a.zip")


def test_a_text_names_a_file_or_a_url() -> None:
    assert any_path("s3://bucket/a.jpg") == RemotePath("s3://bucket/a.jpg")
    assert any_path("a.jpg") == any_path(Path("a.jpg")) == Path("a.jpg")
    assert any_path(RemotePath("s3://bucket")) == RemotePath("s3://bucket")


def test_a_url_names_a_bucket() -> None:
    for url in ("s3://", "s3:///", "s3:///photos", "sftp://"):
        with pytest.raises(UsageError, match=r"names no bucket or folder.* s3://bucket/photos$"):
            RemotePath.parse(url)
    assert RemotePath.parse("hdfs:///tmp").root == "hdfs://"
