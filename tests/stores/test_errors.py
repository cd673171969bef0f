"""What stores refuse and libraries raise is explained, without secrets."""

import pytest
import s3fs
from object_store import Bucket

from monetize.stores.errors import explained
from monetize.stores.files import list_files, read_bytes
from monetize.stores.remote_path import RemotePath


@pytest.mark.parametrize(
    ("status", "code", "one_file", "message"),
    [
        ("403 Forbidden", "AccessDenied", True, "permission denied (said why): the credentials"),
        ("404 Not Found", "NoSuchKey", True, "there is no such object or bucket"),
        ("403 Forbidden", "ExpiredToken", False, "the credentials are missing or not accepted"),
        ("403 Forbidden", "InvalidObjectState", True, "restore the object first"),
        ("429 Slow Down", "SlowDown", False, "asks for fewer requests"),
        ("400 Bad Request", "Strange", False, "does not answer as expected (An error occurred"),
    ],
)
def test_what_a_store_refuses_is_explained(
    bucket: Bucket, status: str, code: str, one_file: bool, message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    bucket.server.refuse = lambda _: (status, code, "said why")
    with pytest.raises(OSError, match=r"\w") as caught:
        read_bytes(RemotePath.parse(f"{bucket}/a.jpg"))
    assert message in str(caught.value)
    assert (caught.value.errno is not None) is one_file, "others concern the next file, too"
    assert "very-secret" not in str(caught.value)


def test_a_lost_connection_is_explained(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    with pytest.raises(OSError, match=r"does not answer as expected.*AWS_ENDPOINT_URL") as caught:
        list_files(RemotePath.parse(str(bucket)))
    assert caught.value.errno is None


def test_missing_credentials_are_explained(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(OSError, match=r"Unable to locate credentials.*set AWS_ACCESS_KEY_ID"):
        list_files(RemotePath.parse(str(bucket)))


def test_what_a_store_cannot_do_is_explained() -> None:
    with (
        pytest.raises(OSError, match="hf:// cannot do that: no writing"),
        explained(RemotePath("hf://datasets/a")),
    ):
        raise NotImplementedError("no writing")


def test_an_interruption_is_not_an_error_of_the_store() -> None:
    with pytest.raises(KeyboardInterrupt), explained(RemotePath("s3://bucket/a")):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise RuntimeError("the library lost it") from None
