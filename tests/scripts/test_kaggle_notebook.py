"""The notebook for Kaggle, with tiny checkpoints, in both forms of Kaggle's mounts."""

import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import Run, Tiny, members, names
from kaggle import bundle, rehearse
from kaggle.make_notebook import NOTEBOOK, SOURCE, convert, to_text

CELLS = convert(SOURCE.read_text("utf-8"))["cells"]
CODE = ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code"]
OPTIONS = ["--steps", "2", "--batch-size", "1"]
Namespace = dict[str, Any]


@pytest.fixture
def inputs(tiny: Tiny, photos: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Make the inputs in a layout, with a wheel that holds nothing but its name."""

    def make(layout: str) -> Path:
        folder = tmp_path / "bundle"
        bundle.add_checkpoints(folder, str(tiny.captioner), str(tiny.painter))
        (folder / "wheels").mkdir()
        wheel = folder / "wheels" / "photos_to_monet-0.1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            info = "photos_to_monet-0.1.0.dist-info"
            name = "Metadata-Version: 2.1\nName: photos-to-monet\nVersion: 0.1.0\n"
            archive.writestr(f"{info}/METADATA", name)
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n")
            archive.writestr(f"{info}/RECORD", "")
        bundle.write_checksums(folder)
        return rehearse.mount(tmp_path / "kaggle", layout, photos, folder)

    return make


def namespace_of(inputs: Path, output: Path, cells: int) -> Namespace:
    """Execute the first cells of code."""
    output.mkdir(exist_ok=True)
    namespace: Namespace = {"__name__": "__main__"}
    exec(CODE[0], namespace)
    namespace.update(INPUT=inputs, OUTPUT=output, LIMIT=3, OPTIONS=OPTIONS)
    for code in CODE[1:cells]:
        exec(code, namespace)
    return namespace


def test_the_notebook_is_that_of_its_source_and_has_no_outputs() -> None:
    text = NOTEBOOK.read_text("utf-8")
    assert text == to_text(convert(SOURCE.read_text("utf-8"))), "run make_notebook.py"
    cells = json.loads(text)["cells"]
    assert {cell["cell_type"] for cell in cells} == {"markdown", "code"}
    for cell in cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_it_says_each_click() -> None:
    text = "".join(CELLS[0]["source"])
    for click in ("T4 x2", "Internet*: off", "Add Input", "Save & Run All", "Submit"):
        assert click in text


@pytest.mark.parametrize("layout", rehearse.LAYOUTS)
def test_it_finds_its_inputs_whatever_the_mounts(
    inputs: Callable[[str], Path], tmp_path: Path, layout: str
) -> None:
    namespace = namespace_of(root := inputs(layout), tmp_path / "working", cells=2)
    photos, folder = rehearse.LAYOUTS[layout]
    assert namespace["PHOTOS"] == root / photos
    assert namespace["BUNDLE"] == root / folder


def test_it_makes_the_zip_and_a_gallery(
    cli: Run, inputs: Callable[[str], Path], tmp_path: Path
) -> None:
    output = tmp_path / "working"
    namespace = namespace_of(inputs("current"), output, cells=3)
    calls = []

    def run(module: str, *arguments: object, accept: tuple[int, ...] = (0,)) -> None:
        calls.append((module, *arguments))
        if module == "monetize":
            result = cli(*arguments)
            assert result.exit_code in accept, result.stderr

    namespace["run"] = run
    for code in CODE[3:]:
        exec(code, namespace)
    assert [call[:2] for call in calls] == [
        ("pip", "install"),
        ("monetize", "devices"),
        ("monetize", "run"),
        ("monetize", "check"),
        ("monetize", "gallery"),
    ]
    assert Path(str(calls[0][-1])).name == "photos_to_monet-0.1.0-py3-none-any.whl"
    assert names(output) == {"images.zip", "images.csv", "images.json", "gallery.zip"}
    assert len(members(output / "images.zip")) == 3
    assert "images.html" in members(output / "gallery.zip")
    settings = json.loads((output / "images.json").read_text())["settings"]
    assert settings["run"]["time_budget"] == 4 * 3600 + 40 * 60
    assert settings["paint"]["palette"] == "monet"
    assert settings["device"]["offline"] is True


def test_a_damaged_file_of_the_bundle_is_found(
    inputs: Callable[[str], Path], tmp_path: Path
) -> None:
    root = inputs("current")
    [file] = root.rglob("model_index.json")
    file.write_text(file.read_text() + " ")
    with pytest.raises(ValueError, match=r"model_index.json is damaged: upload the bundle again"):
        namespace_of(root, tmp_path / "working", cells=2)


def test_a_missing_input_is_named(tmp_path: Path) -> None:
    inputs = tmp_path / "input"
    (inputs / "competitions").mkdir(parents=True)
    with pytest.raises(
        FileNotFoundError, match=r"competitions, but no photo_jpg: is the input att"
    ):
        namespace_of(inputs, tmp_path / "working", cells=2)


def test_a_command_that_fails_stops_the_notebook(
    inputs: Callable[[str], Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = namespace_of(inputs("current"), tmp_path / "working", cells=3)["run"]
    with pytest.raises(subprocess.CalledProcessError):
        run("json.tool", tmp_path / "missing.json")
    assert "No such file" in capfd.readouterr().out
    run("json.tool", tmp_path / "missing.json", accept=(0, 1, 2))


@pytest.mark.slow
@pytest.mark.parametrize("layout", rehearse.LAYOUTS)
def test_jupyter_executes_it(
    inputs: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    """Installing is only tried, as it would replace what the tests run with."""
    monkeypatch.setenv("PIP_DRY_RUN", "1")
    root = inputs(layout)
    printed = rehearse.execute(tmp_path / "kaggle", root, 2, OPTIONS)
    assert "Would install photos-to-monet-0.1.0" in printed
    assert "Done: 2 paintings" in printed
    assert "Used by default: " in printed
    assert len(members(tmp_path / "kaggle" / "working" / "images.zip")) == 2
