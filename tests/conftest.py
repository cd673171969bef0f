"""Tiny checkpoints in the real layout, photos, and a runner of the command line; no network."""

import os
import tempfile

# Read when huggingface_hub is imported, so set before anything else is.
os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="monetize-tests-hf-")
os.environ["HF_HUB_OFFLINE"] = "1"
# Tests run in two processes, whose threads would compete; tiny models need only one.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import gc
import shutil
import signal
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers import Run, Tiny, make_photos, run_cli, run_tiny_job
from make_tiny_checkpoints import make_captioner, make_painter

from monetize.captioning.captioner import Captioner
from monetize.captioning.encoder_decoder import EncoderDecoderCaptioner
from monetize.checkpoints.layout import PAINTER
from monetize.checkpoints.resolve import resolve
from monetize.checkpoints.tokenizer import load_tokenizer
from monetize.painting.painter import Painter

if TYPE_CHECKING:  # few tests need a server
    from object_store import Bucket, Server

# Objects of the imported libraries are never freed; scanning them again and again would take a
# fifth of the tests' time.
gc.freeze()

# Background jobs of a shell ignore SIGINT, and so would the processes that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

NUMBERS = count()


@pytest.fixture(scope="session", autouse=True)
def _remove_hub_cache() -> Iterator[None]:
    yield
    shutil.rmtree(os.environ["HF_HOME"], ignore_errors=True)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    folder = tmp_path_factory.mktemp("tiny")
    make_captioner(folder / "captioner")
    make_painter(folder / "painter")
    return Tiny(folder / "captioner", folder / "painter")


@pytest.fixture
def tiny_copy(tiny: Tiny, tmp_path: Path) -> Tiny:
    """A copy of the checkpoints that a test may damage."""
    folder = tmp_path / "checkpoints"
    shutil.copytree(tiny.captioner, folder / "captioner")
    shutil.copytree(tiny.painter, folder / "painter")
    return Tiny(folder / "captioner", folder / "painter")


@pytest.fixture(scope="session")
def clip_tokenizer(tiny: Tiny) -> object:
    return load_tokenizer(resolve(str(tiny.painter), PAINTER))


@pytest.fixture
def painter_with(tiny: Tiny) -> Callable[..., Painter]:
    """Load the tiny painter with settings given by name."""

    def load(**settings: object) -> Painter:
        options: dict[str, Any] = {"num_inference_steps": 4, **settings}
        return Painter.from_pretrained(str(tiny.painter), device="cpu", **options)

    return load


@pytest.fixture
def captioner(tiny: Tiny) -> EncoderDecoderCaptioner:
    loaded = Captioner.from_pretrained(str(tiny.captioner), device="cpu")
    assert isinstance(loaded, EncoderDecoderCaptioner)
    return loaded


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of six small photos, all different."""
    return make_photos(tmp_path / "photos")


@pytest.fixture
def cli() -> Run:
    """Run `monetize` in this process; an unexpected exception fails the test."""
    return run_cli


@pytest.fixture
def run_job(tiny: Tiny) -> Run:
    """Run `monetize run` with the tiny checkpoints and few steps, one painting at a time."""
    return partial(run_tiny_job, tiny)


@pytest.fixture(scope="session")
def store_server() -> "Iterator[Server]":
    """A real S3-compatible server, where the fixture `bucket` makes buckets."""
    from object_store import serving

    with serving() as server:
        yield server


@pytest.fixture
def bucket(store_server: "Server", monkeypatch: pytest.MonkeyPatch) -> "Iterator[Bucket]":
    """A new bucket, and the environment that leads there."""
    import s3fs
    from object_store import ENVIRONMENT, Bucket

    for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": store_server.url}.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    yield Bucket(store_server, f"bucket{next(NUMBERS)}")
    store_server.refuse = lambda _request: None
    store_server.requests.clear()
    s3fs.S3FileSystem.clear_instance_cache()
