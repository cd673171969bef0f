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
    assert (path.name, path.stem, path.suffix) == (local.name, local.stem, local.suffix)
    assert str(path.parent) == "s3://bucket/a"
    assert str(path.parent / "b.jpg") == "s3://bucket/a/b.jpg"
    assert str(path.with_suffix(".csv")) == "s3://bucket/a/photo.1.csv"
    assert pickle.loads(pickle.dumps(path)) == path


def test_a_bucket_is_the_top() -> None:
    bucket = RemotePath.parse("s3://bucket/")
    assert str(bucket) == "s3://bucket"
    assert bucket.parent == bucket
    assert bucket.name == "bucket"
    assert RemotePath.parse("gs://bucket/a/").root == "gs://bucket"
    assert RemotePath.parse("gs://bucket/a/").scheme == "gs"


@pytest.mark.parametrize(
    "url", ["sftp://me:hunter2@host/photos", "https://host/photos?signature=hunter2"]
)
def test_secrets_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError, match="leave it out") as caught:
        RemotePath.parse(url)
    assert "hunter2" not in str(caught.value)


def test_chained_urls_are_refused() -> None:
    with pytest.raises(UsageError, match="chained URLs"):
        RemotePath.parse("zip://a::s3://bucket/a.zip")


def test_a_text_names_a_file_or_a_url() -> None:
    assert any_path("s3://bucket/a.jpg") == RemotePath("s3://bucket/a.jpg")
    assert any_path("a.jpg") == any_path(Path("a.jpg")) == Path("a.jpg")
    assert any_path(RemotePath("s3://bucket")) == RemotePath("s3://bucket")


def test_a_url_names_a_bucket() -> None:
    with pytest.raises(UsageError, match="s3:// names no bucket"):
        RemotePath.parse("s3://")
    assert RemotePath.parse("file:///tmp").root == "file://"
