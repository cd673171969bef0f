"""The dataset for Kaggle: its files, resuming, and that it brings all that the image lacks."""

import hashlib
import json
import re
import shutil
from importlib import metadata
from pathlib import Path

import pytest
from helpers import Tiny, names
from kaggle import bundle
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from monetize.checkpoints.layout import CAPTIONER, PAINTER
from monetize.errors import CheckpointError, MonetizeError, UsageError

SCRIPTS = Path(bundle.__file__).parent
OWN_WHEEL = "photos_to_monet-0.1.0-py3-none-any.whl"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What is asked of pip, which writes files in the wheels' place and knows no network."""
    made: list[tuple[str, ...]] = []

    def pip(*arguments: object) -> None:
        words = tuple(map(str, arguments))
        made.append(words)
        if words[0] == "wheel":
            (Path(words[words.index("--wheel-dir") + 1]) / OWN_WHEEL).write_text("monetize")
        else:
            folder = Path(words[words.index("--dest") + 1])
            for name in bundle.required_wheels():
                (folder / f"{name}-py3-none-any.whl").write_text(name)

    monkeypatch.setattr(bundle, "pip", pip)
    return made


def make(out: Path, tiny: Tiny, python: str = "3.12") -> None:
    bundle.bundle(out, "ada-l", python, str(tiny.captioner), str(tiny.painter))


def pins(path: Path) -> dict[str, str]:
    lines = [line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines()]
    pairs = (line.split("==") for line in lines if line)
    return {canonicalize_name(name): version for name, version in pairs}


def test_it_has_wheels_checkpoints_metadata_and_checksums(
    calls: list[tuple[str, ...]], tiny: Tiny, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "my bundle"
    make(out, tiny)
    assert names(out) == {
        "wheels", "captioner", "painter", "SHA256SUMS", "dataset-metadata.json",
    }  # fmt: skip
    assert OWN_WHEEL in names(out / "wheels")
    assert len(names(out / "wheels")) == 12
    assert not CAPTIONER.missing([path.name for path in (out / "captioner").iterdir()])
    about = json.loads((out / "dataset-metadata.json").read_text())
    assert about["id"] == "ada-l/monetize-bundle"
    sums = dict(line.split("  ")[::-1] for line in (out / "SHA256SUMS").read_text().splitlines())
    files = {
        path.relative_to(out).as_posix()
        for part in ("wheels", "captioner", "painter")
        for path in (out / part).rglob("*")
        if path.is_file()
    }
    assert set(sums) == files
    for name in files:
        assert sums[name] == hashlib.sha256((out / name).read_bytes()).hexdigest()
    said = capsys.readouterr().out
    assert re.search(r"my bundle: \d+ MB\. Upload it", said)
    assert f'kaggle datasets create -p "{out}" --dir-mode zip' in said


def test_wheels_are_for_the_python_and_the_platform_of_the_image(
    calls: list[tuple[str, ...]], tiny: Tiny, tmp_path: Path
) -> None:
    make(tmp_path / "bundle", tiny, python="3.13")
    [download] = [call for call in calls if call[0] == "download"]
    assert download[download.index("--python-version") + 1] == "3.13"
    assert "manylinux2014_x86_64" in download
    assert "--no-deps" in download


def test_it_resumes_and_replaces_what_is_of_another_version(
    calls: list[tuple[str, ...]], tiny: Tiny, tmp_path: Path
) -> None:
    out = tmp_path / "bundle"
    make(out, tiny)
    kept, lost = out / "painter" / "unet" / "config.json", out / "captioner" / "config.json"
    inode = kept.stat().st_ino
    lost.rename(lost.with_name("config.json.part"))  # as an interruption leaves it
    old = out / "wheels" / "transformers-4.0.0-py3-none-any.whl"
    old.touch()
    make(out, tiny)
    assert kept.stat().st_ino == inode
    assert lost.read_bytes() == (tiny.captioner / "config.json").read_bytes()
    assert not lost.with_name("config.json.part").exists()
    assert not old.exists()


def test_only_half_precision_is_copied_where_there_is_one(tiny_copy: Tiny, tmp_path: Path) -> None:
    for file in tiny_copy.painter.rglob("*.safetensors"):
        shutil.copy(file, file.with_suffix(".fp16.safetensors"))
    bundle.copy_checkpoint(str(tiny_copy.painter), PAINTER, tmp_path / "painter")
    weights = [path.name for path in (tmp_path / "painter").rglob("*.safetensors")]
    assert len(weights) == 3
    assert all(".fp16." in name for name in weights)


def test_pocket_can_stand_in_for_the_checkpoints(tmp_path: Path) -> None:
    bundle.add_checkpoints(tmp_path, "pocket", "pocket")
    assert (tmp_path / "captioner" / "model.safetensors").stat().st_size > 10_000_000
    assert (tmp_path / "painter" / "known_words.txt").exists()


def test_a_folder_with_other_files_is_left_alone(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    with pytest.raises(UsageError, match=r"has other files in it: give a new folder"):
        make(tmp_path, tiny)
    assert names(tmp_path) == {"letter.txt"}


@pytest.mark.parametrize("owner", ["Ada Lovelace", "ada/bundle", ""])
def test_an_owner_is_a_name_on_kaggle(tiny: Tiny, tmp_path: Path, owner: str) -> None:
    with pytest.raises(UsageError, match=r"give your name on Kaggle as in its URL"):
        bundle.start(tmp_path / "bundle", owner)
    assert names(tmp_path) == set()


def test_a_missing_checkpoint_and_a_failing_pip_are_errors(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="missing"):
        bundle.copy_checkpoint(str(tmp_path), PAINTER, tmp_path / "painter")
    with pytest.raises(MonetizeError, match="pip failed"):
        bundle.pip("no-such-command")


def test_its_versions_are_those_that_the_tests_ran_with() -> None:
    tested = pins(SCRIPTS.parent / "constraints.txt")
    bundled = pins(SCRIPTS / "requirements.txt")
    both = tested.keys() & bundled.keys()
    assert len(both) >= 6
    assert {name: bundled[name] for name in both} == {name: tested[name] for name in both}


@pytest.mark.parametrize("python", ["3.12", "3.13"])
def test_with_it_the_image_has_all_that_is_required(python: str) -> None:
    """By the requirements of the installed versions, which are those of the bundle."""
    there = {**pins(SCRIPTS / f"image-{python}.txt"), **pins(SCRIPTS / "requirements.txt")}
    linux = {
        "python_version": python,
        "python_full_version": f"{python}.1",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "extra": "",
    }
    project = bundle.ROOT / "pyproject.toml"
    needed = re.findall(r'^    "([a-z_]+[><=][^"]+)",', project.read_text(), re.MULTILINE)
    assert len(needed) >= 10
    for name in pins(SCRIPTS / "requirements.txt"):
        needed += metadata.requires(name) or []
    requirements = [Requirement(text) for text in needed]
    missing = [
        str(each)
        for each in requirements
        if (each.marker is None or each.marker.evaluate(linux))
        and not each.specifier.contains(there.get(canonicalize_name(each.name), "0"))
    ]
    assert missing == []
