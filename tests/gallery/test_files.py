"""The files of a gallery: what they replace, and what a killed process leaves."""

from pathlib import Path

import pytest
from helpers import Run, names

from monetize.images.photos import GALLERY_MARK


def test_a_gallery_is_replaced_only_by_overwrite(cli: Run, out: Path) -> None:
    cli("gallery", out)
    page, stray = out.with_suffix(".html"), out.with_suffix(".gallery") / "paintings" / "old.jpg"
    stray.write_bytes(b"")
    before = page.read_bytes()
    refused = cli("gallery", out)
    assert refused.exit_code == 2
    assert f"{page} exists. Move it away" in refused.stderr
    assert stray.exists()
    page.write_bytes(b"")
    assert cli("gallery", out, "--overwrite").exit_code == 0
    assert page.read_bytes() == before
    assert not stray.exists()
    assert not {"images.gallery.part", "images.gallery.old"} & names(out.parent)


@pytest.mark.parametrize("ending", ["gallery", "gallery.part", "gallery.old"])
def test_somebody_elses_folder_is_never_replaced(cli: Run, out: Path, ending: str) -> None:
    folder = out.with_suffix(f".{ending}")
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    result = cli("gallery", out, "--overwrite")
    assert result.exit_code == 2
    assert f"{folder} is in the way: it is not a gallery folder of monetize" in result.stderr
    assert (folder / "mine.txt").read_text() == "mine"


def test_leftovers_of_a_killed_process_do_not_block_a_gallery(cli: Run, out: Path) -> None:
    for ending in (".gallery.part", ".gallery.old"):
        (out.with_suffix(ending) / "photos").mkdir(parents=True)
        (out.with_suffix(ending) / GALLERY_MARK).write_text("")
    assert cli("gallery", out).exit_code == 0
    assert not {"images.gallery.part", "images.gallery.old"} & names(out.parent)


@pytest.mark.parametrize(
    ("output", "message"),
    [("a.txt", "name it like images.html"), ("nowhere/a.html", "there is no folder")],
)
def test_a_page_needs_a_suitable_name(cli: Run, out: Path, output: str, message: str) -> None:
    result = cli("gallery", out, "-o", out.parent / output)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize(
    "where", ["monetize.gallery.pictures.opened_photo", "monetize.gallery.files.write_bytes"]
)
@pytest.mark.parametrize("replacing", [False, True])
def test_an_interruption_leaves_the_old_gallery(
    cli: Run, out: Path, monkeypatch: pytest.MonkeyPatch, where: str, replacing: bool
) -> None:
    if replacing:
        cli("gallery", out)
    before = {path: path.is_file() and path.read_bytes() for path in out.parent.rglob("*")}

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(where, interrupt)
    result = cli("gallery", out, "--overwrite")
    assert result.exit_code == 130
    assert {path: path.is_file() and path.read_bytes() for path in out.parent.rglob("*")} == before
