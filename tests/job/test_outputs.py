from pathlib import Path

import pytest

from monetize.job.outputs import Outputs


def test_reports_of_a_zip_are_next_to_it_and_those_of_a_folder_in_it() -> None:
    packed, folder = Outputs(Path("a/b.zip")), Outputs.of_folder(Path("a/b.2024"))
    assert packed.files == (Path("a/b.zip"), Path("a/b.csv"), Path("a/b.json"))
    assert folder.files == (Path("a/b.2024/monetize.csv"), Path("a/b.2024/monetize.json"))
    assert (packed.page, folder.page) == (Path("a/b.html"), Path("a/b.2024.html"))
    assert (packed.workspace.folder, folder.workspace.folder) == (
        Path("a/b.zip.work"), Path("a/b.2024.work"),
    )  # fmt: skip
    assert (packed.last, folder.last) == (packed.out, folder.table)


@pytest.mark.parametrize("name", [".", "sub/..", ""])
def test_a_folder_is_known_by_its_real_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    assert Outputs.of(Path(name)) == Outputs(tmp_path.resolve(), is_folder=True)
