"""Names and words in composed and decomposed letters, as Macs and other systems write them."""

from pathlib import Path

from helpers import Run, Tiny, rows
from PIL import Image

from monetize.images.photos import photo_path
from monetize.job.plan import photo_seed

DECOMPOSED, COMPOSED = "cafe\u0301", "caf\u00e9"


def test_a_captions_file_in_the_other_form_is_used(run_job: Run, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "photos" / f"{DECOMPOSED}.jpg")
    captions = tmp_path / "captions.csv"
    captions.write_text(f"photo,caption\n{COMPOSED}.jpg,a lake\n", encoding="utf-8")
    result = run_job(tmp_path / "photos", tmp_path / "images.zip", "--captions", captions)
    assert result.exit_code == 0, result.stderr
    assert "captions for no photo" not in result.stderr
    [row] = rows(tmp_path / "images.csv")
    assert (row["photo"], row["caption"]) == (f"{DECOMPOSED}.jpg", "a lake")


def test_captions_edited_in_the_other_form_are_kept(run_job: Run, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "photos" / f"{COMPOSED}.jpg")
    out = tmp_path / "images.zip"
    run_job(tmp_path / "photos", out, "--keep-work")
    out.unlink()
    captions = tmp_path / "images.zip.work" / "captions.csv"
    captions.write_text(f"photo,caption\n{DECOMPOSED}.jpg,a lake\n", encoding="utf-8")
    result = run_job(tmp_path / "photos", out)
    assert result.exit_code == 0, result.stderr
    assert "unused captions" not in result.stderr
    [row] = rows(tmp_path / "images.csv")
    assert (row["photo"], row["caption"]) == (f"{COMPOSED}.jpg", "a lake")


def test_two_captions_of_one_photo_name_their_file(run_job: Run, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "photos" / "\u00fc\u0301.jpg")
    captions = tmp_path / "captions.csv"
    text = "photo,caption\n\u01d8.jpg,a lake\nu\u0308\u0301.jpg,a tree\n"
    captions.write_text(text, encoding="utf-8")
    result = run_job(tmp_path / "photos", tmp_path / "a.zip", "--captions", captions)
    assert result.exit_code == 1
    assert f"{captions}: two different captions for the photo" in result.stderr


def test_a_weight_in_the_other_form_finds_its_word(cli: Run, tiny: Tiny) -> None:
    for word, prompt in ((COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)):
        result = cli("tokens", f"a {prompt} tree", "--model", tiny.painter, "-w", f"{word}=2")
        assert result.exit_code == 0, result.stderr
        assert [COMPOSED + "</w>", "2"] in [line.split()[1:] for line in result.stdout.splitlines()]
        missing = cli("tokens", f"a {prompt}", "--model", tiny.painter, "-w", "cafe=2")
        assert missing.exit_code == 2
        assert f"Its words are: a, {prompt}" in missing.stderr


def test_a_photo_in_the_other_form_has_the_same_seed_and_is_found(tmp_path: Path) -> None:
    assert photo_seed(7, f"{COMPOSED}.jpg") == photo_seed(7, f"{DECOMPOSED}.jpg")
    photo = tmp_path / DECOMPOSED / f"{COMPOSED}.jpg"
    photo.parent.mkdir()
    photo.write_bytes(b"x")
    assert photo_path(tmp_path, f"{COMPOSED}/{DECOMPOSED}.jpg") == photo
    assert photo_path(tmp_path, f"{DECOMPOSED}/{COMPOSED}.jpg") == photo
    assert photo_path(tmp_path, f"{COMPOSED}/other.jpg") == photo.parent / "other.jpg"
