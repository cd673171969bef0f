"""Downloads, from a small hub on this machine."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import kaggle
import pytest
from helpers import CPU, Tiny
from lora_files import kohya, matrices, write_lora

from monetize.checkpoints.layout import PAINTER
from monetize.checkpoints.loading import load_painting_pipeline
from monetize.checkpoints.resolve import resolve

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "someone/tiny-painter"


@dataclass
class Hub:
    """Serves one repository with the hub's protocol and records which files are downloaded."""

    folder: Path
    downloaded: list[str] = field(default_factory=list)
    status: int = 200
    address: str = ""

    def files(self) -> dict[str, Path]:
        paths = [path for path in self.folder.rglob("*") if path.is_file()]
        return {path.relative_to(self.folder).as_posix(): path for path in paths}


@pytest.fixture
def hub(tiny_copy: Tiny) -> Iterator[Hub]:
    hub = Hub(tiny_copy.painter)

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer()

        def do_GET(self) -> None:
            self.answer()

        def answer(self) -> None:
            path = urlsplit(self.path).path
            if hub.status != 200:
                self.reply(b"{}", {"X-Error-Code": "RepoNotFound"}, hub.status)
            elif path.startswith(f"/api/models/{REPOSITORY}/revision/") or path == (
                f"/api/models/{REPOSITORY}"
            ):
                siblings = [
                    {"rfilename": name, "size": file.stat().st_size}
                    for name, file in hub.files().items()
                ]
                info = {"id": REPOSITORY, "sha": COMMIT, "siblings": siblings, "tags": []}
                self.reply(json.dumps(info).encode())
            elif path.startswith(f"/api/models/{REPOSITORY}/tree/"):
                tree = [
                    {"type": "file", "path": name, "size": file.stat().st_size, "oid": "0" * 40}
                    for name, file in hub.files().items()
                ]
                self.reply(json.dumps(tree).encode())
            elif path.startswith(f"/{REPOSITORY}/resolve/"):
                name = path.split("/", 5)[5]
                if self.command == "GET":
                    hub.downloaded.append(name)
                headers = {"ETag": f'"{hash(name) & 0xFFFFFF:x}"', "X-Repo-Commit": COMMIT}
                self.reply(hub.files()[name].read_bytes(), headers)
            else:
                self.reply(b"{}", {}, 404)

        def reply(
            self, body: bytes, headers: dict[str, str] | None = None, status: int = 200
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield hub
    server.shutdown()
    server.server_close()


def monetize(
    hub: Hub, home: Path, *args: str, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Run the command with this hub."""
    return python(hub, home, "-m", "monetize", *args, **variables)


def python(
    hub: Hub, home: Path, *args: str, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Run Python with this hub, in a new process as libraries read its address on import."""
    without_proxy = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    env = {**os.environ, **without_proxy, "HF_ENDPOINT": hub.address, "HF_HOME": str(home)}
    env |= variables
    env.pop("HF_HUB_OFFLINE", None)
    return subprocess.run(
        [sys.executable, *args], env=env, cwd=home, capture_output=True, text=True
    )


@pytest.mark.slow
def test_the_needed_files_are_announced_downloaded_once_and_kept(hub: Hub, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    # A repository may also have large files in other formats, which are not needed.
    (hub.folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"never downloaded")
    (hub.folder / "sd-v1-4.ckpt").write_bytes(b"never downloaded")

    tokens = monetize(hub, home, "tokens", "a pine tree", "--model", REPOSITORY)
    assert tokens.returncode == 0, tokens.stderr
    assert "pine</w>" in tokens.stdout
    assert f"Downloading {REPOSITORY} from the hub, once: 5 files" in tokens.stderr
    assert {name.split("/")[0] for name in hub.downloaded} == {"model_index.json", "tokenizer"}

    hub.downloaded.clear()
    paint = ("paint", "a pine tree", "--model", REPOSITORY, "--steps", "1", "--seed", "1")
    painted = monetize(hub, home, *paint, "-o", "a.png")
    assert painted.returncode == 0, painted.stderr
    assert "files, 7." in painted.stderr, "the size of the missing files"
    assert "unet/diffusion_pytorch_model.safetensors" in hub.downloaded
    assert not any(name.endswith((".bin", ".ckpt")) for name in hub.downloaded)
    assert not any(name.startswith("tokenizer/") for name in hub.downloaded)

    hub.downloaded.clear()
    again = monetize(hub, home, *paint, "-o", "b.png", "--offline")
    assert again.returncode == 0, again.stderr
    assert "Downloading" not in again.stderr
    assert hub.downloaded == []
    assert (home / "a.png").read_bytes() == (home / "b.png").read_bytes()


def test_the_dataset_for_kaggle_takes_half_precision_from_the_hub(hub: Hub, tmp_path: Path) -> None:
    for file in hub.folder.rglob("*.safetensors"):
        shutil.copy(file, file.with_suffix(".fp16.safetensors"))
    code = (
        "import sys; from pathlib import Path\n"
        f"sys.path.insert(0, {str(Path(kaggle.__file__).parent.parent)!r})\n"
        "from kaggle.bundle import PAINTER, copy_checkpoint\n"
        "from monetize.checkpoints import layout\n"
        f"copy_checkpoint({REPOSITORY!r}, layout.PAINTER, Path(PAINTER))"
    )
    made = python(hub, tmp_path, "-c", code)
    assert made.returncode == 0, made.stderr
    assert f"Downloading {REPOSITORY} from the hub, once: " in made.stdout
    weights = {path.name for path in (tmp_path / "painter").rglob("*.safetensors")}
    assert weights == {"model.fp16.safetensors", "diffusion_pytorch_model.fp16.safetensors"}
    assert not any(".safetensors" in name and ".fp16." not in name for name in hub.downloaded)


def test_a_missing_repository_is_not_reported_as_an_unreachable_hub(
    hub: Hub, tmp_path: Path
) -> None:
    hub.status = 404
    absent = monetize(hub, tmp_path, "tokens", "x", "--model", REPOSITORY)
    assert absent.returncode == 1
    assert f"{REPOSITORY} is not on the hub, or it is private" in absent.stderr
    assert "HF_TOKEN" in absent.stderr
    assert "Traceback" not in absent.stderr


def test_a_repository_with_another_layout_is_refused_before_the_download(
    hub: Hub, tmp_path: Path
) -> None:
    (hub.folder / "model_index.json").unlink()
    refused = monetize(hub, tmp_path, "tokens", "x", "--model", REPOSITORY)
    assert refused.returncode == 1
    assert "is not a diffusers StableDiffusionPipeline checkpoint: missing model_index.json" in (
        refused.stderr
    )
    assert hub.downloaded == []


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("HTTP_PROXY", "foo://x:1", "cannot be reached (Unknown scheme for proxy URL"),
        ("HF_ENDPOINT", "nonsense", "cannot be reached (Request URL is missing an 'http://'"),
        ("HF_ENDPOINT", "http://[", "huggingface_hub cannot read its environment variables"),
        ("HF_TOKEN", "é", "cannot be reached ('ascii' codec can't encode"),
        ("HF_HUB_ETAG_TIMEOUT", "x", "huggingface_hub cannot read its environment variables"),
    ],
)
def test_unusable_network_settings_are_named_in_one_line(
    hub: Hub, tmp_path: Path, variable: str, value: str, message: str
) -> None:
    settings = {variable: value} if variable != "HTTP_PROXY" else {variable: value, "NO_PROXY": ""}
    settings |= {"no_proxy": ""} if variable == "HTTP_PROXY" else {}
    refused = monetize(hub, tmp_path, "tokens", "x", "--model", REPOSITORY, **settings)
    assert refused.returncode in (1, 2)
    assert message in refused.stderr
    assert variable in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_cache_that_cannot_be_written_is_named(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    home = str(tmp_path / "file" / "home")
    refused = monetize(hub, tmp_path, "tokens", "x", "--model", REPOSITORY, HF_HOME=home)
    assert refused.returncode == 1
    assert f"{home}/hub: cannot be written: Not a directory. Set HF_HOME" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_user_without_a_home_can_download(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import pwd\ndef unknown(uid): raise KeyError(uid)\npwd.getpwuid = unknown\n"
    )
    code = f"""
import os, sys
del os.environ["HOME"], os.environ["HF_HOME"]
from monetize.cli import main
main(["tokens", "a pine", "--model", "{REPOSITORY}"])
"""
    env = {
        **os.environ,
        "HF_ENDPOINT": hub.address,
        "NO_PROXY": "127.0.0.1",
        "TMPDIR": str(tmp_path),
        "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]),
    }
    for name in ("HF_HUB_OFFLINE", "XDG_CACHE_HOME"):
        env.pop(name, None)
    result = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert f"to {tmp_path}/monetize-{os.getuid()}/.cache/huggingface/hub" in result.stderr


@pytest.mark.slow
def test_a_lora_is_downloaded_once_and_alone(hub: Hub, tmp_path: Path) -> None:
    painter = shutil.copytree(hub.folder, tmp_path / "painter")
    pipeline = load_painting_pipeline(resolve(str(painter), PAINTER), CPU)
    shutil.rmtree(hub.folder)
    hub.folder.mkdir()
    write_lora(hub.folder / "monet.safetensors", kohya(matrices(pipeline)))
    (hub.folder / "preview.png").write_bytes(b"never downloaded")
    paint = ("paint", "a pine tree", "--model", str(painter), "--steps", "1", "--seed", "1")
    painted = monetize(hub, tmp_path, *paint, "--lora", f"{REPOSITORY}=0.5", "-o", "a.png")
    assert painted.returncode == 0, painted.stderr
    assert f"Downloading {REPOSITORY} from the hub, once: 1 file" in painted.stderr
    assert hub.downloaded == ["monet.safetensors"]
    hub.downloaded.clear()
    again = monetize(hub, tmp_path, *paint, "--like", "a.png", "--offline", "-o", "b.png")
    assert again.returncode == 0, again.stderr
    assert hub.downloaded == []
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
