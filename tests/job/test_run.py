"""Whole jobs by the command line, with tiny checkpoints."""

import io
import json
from pathlib import Path

import pytest
from helpers import FinishedJob, Interrupt, Run, Tiny, members, names, rows
from PIL import Image

from monetize.images.infotext import read_infotext
from monetize.job.plan import photo_seed

STYLE = "in monet style painting"


def test_a_folder_becomes_a_contest_zip_with_its_reports(finished: FinishedJob) -> None:
    out, folder = finished.archive, finished.archive.parent
    paintings = members(out)
    assert list(paintings) == [f"photo{i}.jpg" for i in range(6)]
    for data in paintings.values():
        image = Image.open(io.BytesIO(data))
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (256, 256))
    assert len(set(paintings.values())) == 6

    table = rows(folder / "images.csv")
    assert list(table[0]) == [
        "photo", "file", "caption", "prompt", "seed", "weights", "evaluations", "settings",
        "photo_sha256", "status", "error",
    ]  # fmt: skip
    for i, row in enumerate(table):
        assert row["photo"] == row["file"] == f"photo{i}.jpg"
        assert row["prompt"] == f"{row['caption']} {STYLE}"
        assert row["status"] == "painted"
        assert int(row["seed"]) == photo_seed(0, row["photo"])
    assert len({row["seed"] for row in table}) == 6

    summary = json.loads((folder / "images.json").read_text())
    assert summary["painted"] == 6
    assert summary["painter"]["revision"].startswith("sha256:")
    used = summary["settings"]
    assert used["paint"]["num_inference_steps"] == 2
    assert (used["paint"]["size"], used["paint"]["scheduler"]) == (64, "pndm")
    assert used["run"]["output_size"] == 256
    assert summary["zip"]["bytes"] == out.stat().st_size
    assert names(folder) == {"photos", "images.zip", "images.csv", "images.json"}


def test_the_terminal_reports_what_was_found_and_where_the_result_is(
    finished: FinishedJob,
) -> None:
    result = finished.result
    first, *others = result.stderr.splitlines()
    assert first == f"Photos: 6 in {finished.photos} (passed over: 1 other file)"
    assert any(line.startswith("Captioner: ") and "cpu, float32" in line for line in others)
    assert "Painting at 64 × 64 pixels, resized to 256 × 256 in the zip" in others
    assert any(line.startswith("The contest requires 7,000 to 10,000 images") for line in others)
    assert result.stderr.splitlines()[-1].startswith("Done: 6 paintings, ")
    assert result.stderr.rstrip().endswith(f"in {finished.archive}")
    assert not {"\r", "\x1b"} & set(result.output), "no control characters off a terminal"


def test_quiet_says_nothing(run_job: Run, photos: Path, tmp_path: Path) -> None:
    assert run_job(photos, tmp_path / "images.zip", "--quiet").output == ""


def test_the_same_photos_make_the_same_bytes(
    run_job: Run, finished: FinishedJob, photos: Path, tmp_path: Path
) -> None:
    run_job(photos, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == finished.archive.read_bytes()
    run_job(photos, tmp_path / "other.zip", "--seed", 1)
    assert members(tmp_path / "other.zip") != members(finished.archive)


def test_a_photos_painting_does_not_depend_on_the_others(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    run_job(photos, tmp_path / "all.zip", "--caption-batch-size", 1)
    run_job(photos, tmp_path / "some.zip", "--caption-batch-size", 1, "--limit", 2)
    both = members(tmp_path / "all.zip"), members(tmp_path / "some.zip")
    assert list(both[1]) == ["photo0.jpg", "photo1.jpg"]
    assert both[0]["photo1.jpg"] == both[1]["photo1.jpg"]


def test_settings_reach_the_paintings(run_job: Run, photos: Path, tmp_path: Path) -> None:
    result = run_job(
        photos, tmp_path / "a.zip", "--limit", 2, "--style", "by claude monet", "--shared-seed",
        "--seed", 7, "--output-size", 32, "--weight", "claude monet=0.5", "--weight", "@1=2",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    table = rows(tmp_path / "a.csv")
    assert [row["seed"] for row in table] == ["7", "7"]
    assert all(row["prompt"].endswith(" by claude monet") for row in table)
    assert all(row["weights"] == '["claude monet=0.5", "@1=2"]' for row in table)
    image = Image.open(io.BytesIO(members(tmp_path / "a.zip")["photo0.jpg"]))
    assert image.size == (32, 32)


def test_a_byte_order_mark_is_not_part_of_the_style(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    run_job(photos, tmp_path / "a.zip", "--limit", 1, "--style", "\ufeffby monet")
    [row] = rows(tmp_path / "a.csv")
    assert row["prompt"] == f"{row['caption']} by monet"


def test_metadata_is_written_on_request(run_job: Run, photos: Path, tmp_path: Path) -> None:
    run_job(photos, tmp_path / "plain.zip", "--limit", 2)
    run_job(photos, tmp_path / "metadata.zip", "--limit", 2, "--metadata")
    for name, data in members(tmp_path / "metadata.zip").items():
        (tmp_path / name).write_bytes(data)
        plain = Image.open(io.BytesIO(members(tmp_path / "plain.zip")[name]))
        assert Image.open(tmp_path / name).tobytes() == plain.tobytes()
        assert not plain.getexif()
        infotext = read_infotext(tmp_path / name)
        [row] = [row for row in rows(tmp_path / "metadata.csv") if row["file"] == name]
        assert infotext.prompt == row["prompt"]
        assert infotext.settings["Seed"] == row["seed"]


def test_an_existing_zip_is_replaced_only_with_overwrite(
    run_job: Run, photos: Path, tmp_path: Path, interrupt_after: Interrupt,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    out = tmp_path / "a.zip"
    out.write_bytes(b"precious")
    refused = run_job(photos, out)
    assert refused.exit_code == 2
    assert f"{out} exists" in refused.stderr
    assert "--overwrite" in refused.stderr
    interrupt_after(1)
    stopped = run_job(photos, out, "--overwrite")
    assert out.read_bytes() == b"precious"
    assert "the same command without --overwrite continues" in stopped.stderr
    monkeypatch.undo()
    assert run_job(photos, out).exit_code == 0
    assert len(members(out)) == 6


def test_other_files_next_to_the_zip_are_not_replaced(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("photo,caption\n")
    refused = run_job(photos, tmp_path / "a.zip")
    assert refused.exit_code == 2
    assert f"{tmp_path / 'a.csv'} exists" in refused.stderr
    (tmp_path / "link.csv").symlink_to("a.csv")
    clash = run_job(photos, tmp_path / "a.zip", "--captions", tmp_path / "link.csv", "--overwrite")
    assert clash.exit_code == 2
    assert "would be overwritten by the report" in clash.stderr
    assert (tmp_path / "a.csv").read_text() == "photo,caption\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--size", "50"), "--size 50: "),
        (("-w", "@99=1"), "positions range from @0"),
        (("-w", "monet=1", "-w", "monet style=2"), "both apply to token"),
        (("-w", "red sun=1", "-w", "sun=2"), "both apply to token"),
        (("--model", "nowhere"), "--model nowhere: no such folder"),
        (("--captioner", "nowhere"), "--captioner nowhere: no such folder"),
    ],
)
def test_mistakes_are_found_before_anything_is_written(
    cli: Run, tiny: Tiny, photos: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = cli("run", photos, tmp_path / "a.zip", *tiny.flags, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert names(tmp_path) == {"photos"}


def test_photos_with_the_same_name_get_distinct_names(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    (photos / "sub").mkdir()
    (photos / "photo1.jpg").rename(photos / "sub" / "photo0.jpg")
    Image.open(photos / "photo2.jpg").save(photos / "photo0.png")
    result = run_job(photos, tmp_path / "a.zip")
    assert result.exit_code == 0, result.stderr
    files = {row["photo"]: row["file"] for row in rows(tmp_path / "a.csv")}
    assert files["photo0.jpg"] == "photo0.jpg"
    assert files["photo0.png"] == "photo0-2.jpg"
    assert files["sub/photo0.jpg"] == "photo0-3.jpg"
    assert len(members(tmp_path / "a.zip")) == 7
    flat = run_job(photos, tmp_path / "flat.zip", "--no-recursive")
    assert "Photos: 6 in" in flat.stderr
