"""The heat maps that `monetize paint` writes next to its paintings."""

from pathlib import Path

import pytest
from helpers import Run, Tiny
from PIL import Image

TEXT = "a pine tree and a red sun"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_paintings_with_a_sheet_are_the_same_files(cli: Run, tiny: Tiny) -> None:
    command = ("paint", TEXT, "--model", tiny.painter, "--steps", 2, "--seed", 7, "-n", 2)
    weights = ("-w", "pine=-1", "-w", "@0=2")
    cli(*command, *weights, "-o", "plain.png")
    result = cli(*command, *weights, "-o", "a.png", "--heatmap", "heat.jpg")
    assert result.stdout.split() == ["a-1.png", "heat-1.jpg", "a-2.png", "heat-2.jpg"]
    for i in (1, 2):
        assert Path(f"a-{i}.png").read_bytes() == Path(f"plain-{i}.png").read_bytes()
        assert Image.open(f"heat-{i}.jpg").format == "JPEG"
    without = cli(*command, "-o", "b.png", "--heatmap", "one.png")
    assert without.exit_code == 0, without.stderr
    assert Image.open("one-1.png").width < Image.open("heat-1.jpg").width
    assert "Sheet: heat maps" in Image.open("one-1.png").info["parameters"]


def test_sheets_that_cannot_be_written_are_refused(cli: Run, tiny: Tiny) -> None:
    Path("a.png").write_text("mine")
    command = ("paint", TEXT, "--model", tiny.painter, "--steps", 1)
    for arguments, message in (
        (("--heatmap", "a.png"), "--heatmap: a.png exists; --overwrite replaces it"),
        (("--heatmap", "a.gif"), "--heatmap a.gif: unsupported image format; use one of"),
        (("--heatmap", "b.png", "-o", "b.png"), "--output and --heatmap would both write"),
        (("--heatmap", "b.png", "--compile"), "--heatmap does not work with a compiled model"),
        (("--heatmap", "b.png", "-n", 101), "sheets for 100 paintings at most, not 101"),
    ):
        refused = cli(*command, *arguments)
        assert refused.exit_code == 2
        assert message in refused.stderr
    wordless = cli("paint", "🌲", "--model", tiny.painter, "--heatmap", "b.png")
    assert wordless.exit_code == 2
    assert "--heatmap: there is no word in '🌲'" in wordless.stderr
    assert [path.name for path in Path().iterdir()] == ["a.png"]


def test_a_chosen_name_is_never_that_of_a_sheet(cli: Run, tiny: Tiny) -> None:
    command = ("paint", "h", "--model", tiny.painter, "--steps", 1, "--seed", 1, "-n", 2)
    result = cli(*command, "--heatmap", "h.png")
    assert result.stdout.split() == ["h-1-2.png", "h-1.png", "h-2-2.png", "h-2.png"]
