"""The heat maps that `monetize caption` writes."""

from pathlib import Path

import pytest
from helpers import Run, Tiny


def test_captions_with_sheets_are_the_same(
    cli: Run, tiny: Tiny, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (photos / "photo1.jpg").write_bytes(b"")
    command = ("caption", photos, "--captioner", tiny.captioner, "--caption-batch-size", 2)
    plain = cli(*command)
    result = cli(*command, "--heatmap", "h.png")
    assert result.stdout == plain.stdout
    assert result.exit_code == 3
    assert "Heat maps: h-1.png to h-6.png" in result.stderr
    assert sorted(path.name for path in Path().iterdir()) == [f"h-{i}.png" for i in (1, 3, 4, 5, 6)]
    again = cli(*command, "--heatmap", "h.png")
    assert again.exit_code == 2
    assert (
        "--heatmap: h-1.png, h-3.png, h-4.png and 2 more exist; --overwrite replaces them"
        in again.stderr
    )
    both = cli(*command, "--heatmap", "h.png", "-o", "h-1.png", "--overwrite")
    assert "--output and --heatmap would both write h-1.png" in both.stderr
