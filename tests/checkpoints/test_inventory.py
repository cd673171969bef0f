"""Which checkpoints are found on this machine."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import Tiny
from huggingface_hub import constants

from monetize.checkpoints.inventory import Found, list_checkpoints
from monetize.checkpoints.layout import CAPTIONER, PAINTER

COMMIT = "0123456789abcdef0123456789abcdef01234567"
Cache = Callable[[str, Path], Path]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cache:
    """Put a checkpoint into a hub's cache of one's own; returns its folder."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))

    def put(repo_id: str, checkpoint: Path) -> Path:
        folder = tmp_path / "hub" / f"models--{repo_id.replace('/', '--')}"
        shutil.copytree(checkpoint, folder / "snapshots" / COMMIT)
        (folder / "refs").mkdir()
        (folder / "refs" / "main").write_text(COMMIT)
        return folder / "snapshots" / COMMIT

    return put


def listed(name: str) -> list[Found]:
    return [each for each in list_checkpoints() if each.name == name]


def bytes_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_what_is_bundled_is_complete_and_the_rest_is_missing(cache: Cache) -> None:
    for pocket in listed("pocket"):
        assert pocket.is_complete
        assert pocket.folder is not None
        assert pocket.size == bytes_of(pocket.folder)
    [real] = listed("sd-v1-4")
    assert (real.folder, real.size, real.missing) == (None, 0, ("all files",))
    assert not real.is_complete


def test_a_checkpoint_in_the_cache_has_a_place_and_a_size(cache: Cache, tiny: Tiny) -> None:
    folder = cache("CompVis/stable-diffusion-v1-4", tiny.painter)
    [found] = listed("sd-v1-4")
    assert found.is_complete
    assert (found.folder, found.size) == (folder, bytes_of(folder))


def test_what_an_incomplete_checkpoint_misses_is_told(cache: Cache, tiny: Tiny) -> None:
    folder = cache("nlpconnect/vit-gpt2-image-captioning", tiny.captioner)
    for weights in folder.glob("*.safetensors"):
        weights.unlink()
    [found] = listed("vit-gpt2")
    assert not found.is_complete
    assert found.missing == ("weights",)


def test_other_checkpoints_in_the_cache_are_listed_by_their_hub_ids(
    cache: Cache, tiny: Tiny, tmp_path: Path
) -> None:
    cache("someone/painter", tiny.painter)
    cache("someone/captioner", tiny.captioner)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text("{}")
    cache("someone/other", tmp_path / "other")
    own = [each for each in list_checkpoints() if "/" in each.name]
    assert [(each.name, each.layout, each.is_complete) for each in own] == [
        ("someone/captioner", CAPTIONER, True),
        ("someone/painter", PAINTER, True),
    ]


def test_a_link_is_counted_once(cache: Cache, tiny: Tiny) -> None:
    folder = cache("CompVis/stable-diffusion-v1-4", tiny.painter)
    size = bytes_of(folder)
    (folder / "again.safetensors").symlink_to(folder / "model_index.json")
    [found] = listed("sd-v1-4")
    assert found.size == size
