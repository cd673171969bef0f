"""A real S3-compatible server on this machine, which is moto's, and a bucket of it."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "anybody",
    "AWS_SECRET_ACCESS_KEY": "very-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_MAX_ATTEMPTS": "1",
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    "AWS_EC2_METADATA_DISABLED": "true",
}
ERROR = "<?xml version='1.0'?><Error><Code>{0}</Code><Message>{1}</Message></Error>"

Environ = dict[str, Any]


class QuietHandler(WSGIRequestHandler):
    """Answers requests without logging them."""

    def log(self, *_: object) -> None:
        pass


@dataclass
class Server:
    """The running server; `requests` has the method and target of each request.

    `refuse` may return the status, code and message of an error to answer a request with.
    """

    url: str = ""
    requests: list[str] = field(default_factory=list)
    refuse: Callable[[str], tuple[str, str, str] | None] = lambda request: None

    def __call__(self, environ: Environ, start: Callable[..., object]) -> Iterable[bytes]:
        query = environ["QUERY_STRING"]
        request = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}{query and '?' + query}"
        self.requests.append(request)
        if (refused := self.refuse(request)) is not None:
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            status, code, message = refused
            start(status, [("Content-Type", "application/xml"), ("Connection", "close")])
            return [ERROR.format(code, message).encode()]
        answer: Iterable[bytes] = self._application(environ, start)
        return answer

    _application = staticmethod(DomainDispatcherApplication(create_backend_app))


@contextmanager
def serving() -> Iterator[Server]:
    """Run a server on a free port."""
    server = Server()
    serving = make_server("127.0.0.1", 0, server, threaded=True, request_handler=QuietHandler)
    server.url = f"http://127.0.0.1:{serving.server_port}"
    thread = threading.Thread(target=serving.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        serving.shutdown()
        serving.server_close()
        thread.join()


class Bucket:
    """A new bucket; its client shares no code with monetize."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name
        self.client = boto3.client("s3", endpoint_url=server.url)
        self.client.create_bucket(Bucket=name)

    def __str__(self) -> str:
        return f"s3://{self.name}"

    def put(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=data)

    def put_folder(self, folder: Path, prefix: str) -> str:
        """Copy a folder into the bucket; returns its URL there."""
        for path in folder.rglob("*"):
            if path.is_file():
                key = path.relative_to(folder).as_posix()
                self.put(f"{prefix.rstrip('/')}/{key}", path.read_bytes())
        return f"{self}/{prefix}"

    def get(self, key: str) -> bytes:
        data: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return data

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket=self.name, Key=key)

    def list(self) -> set[str]:
        listed = self.client.list_objects_v2(Bucket=self.name)
        return {each["Key"] for each in listed.get("Contents", ())}

    def unfinished_uploads(self) -> int:
        listed = self.client.list_multipart_uploads(Bucket=self.name)
        return len(listed.get("Uploads", ()))
