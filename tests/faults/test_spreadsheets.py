"""Captions and names that a spreadsheet would run as formulas, through a whole job."""

import csv
from pathlib import Path

import pytest
from finished_job import entries
from helpers import Run, Tiny, members

FORMULAS = ("=cmd()", "+1+1", "-2+3", "@SUM(1)")


@pytest.fixture
def formulas(photos: Path) -> Path:
    """A folder of photos whose names begin like formulas."""
    for number, formula in enumerate(FORMULAS):
        (photos / f"photo{number}.jpg").rename(photos / f"{formula}.jpg")
    return photos


def cells(path: Path) -> list[str]:
    with path.open(newline="") as file:
        return [value for row in csv.DictReader(file) for name, value in row.items()
                if name != "settings"]  # fmt: skip


def test_no_table_has_a_formula_and_run_reads_its_own_captions(
    cli: Run, run_job: Run, tiny: Tiny, formulas: Path, tmp_path: Path
) -> None:
    table = tmp_path / "captions.csv"
    assert cli("caption", formulas, "--captioner", tiny.captioner, "-o", table).exit_code == 0
    text = table.read_text()
    for number, row in enumerate(text.splitlines()[1:5]):
        name = row.partition(",")[0]
        text = text.replace(row, f"{name},'{FORMULAS[number]} a tree")
    table.write_text(text)
    flags = ("--captions", table, "--gallery", "--steps", 1)
    result = run_job(formulas, tmp_path / "a.zip", *flags)
    assert result.exit_code == 0, result.stderr
    for path in (table, tmp_path / "a.csv"):
        assert not [cell for cell in cells(path) if cell.startswith(("=", "+", "-", "@"))]
    shown = {str(entry["photo"]): entry for entry in entries(tmp_path / "a.html")}
    assert set(shown) == {f"{formula}.jpg" for formula in FORMULAS} | {"photo4.jpg", "photo5.jpg"}
    assert {f"{formula} a tree" for formula in FORMULAS} < {
        entry["caption"] for entry in shown.values()
    }
    assert all(entry["has_photo"] for entry in shown.values())
    assert set(members(tmp_path / "a.zip")) == {str(entry["file"]) for entry in shown.values()}
