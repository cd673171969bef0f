"""Whole jobs by the command line, with tiny checkpoints."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from helpers import Run, Tiny, members, names, rows
from PIL import Image

from monetize.images.infotext import read_infotext
from monetize.job.plan import photo_seed
from monetize.painting import painter

STYLE = "in monet style painting"


def test_a_folder_becomes_a_contest_zip_with_its_reports(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "images.zip"
    result = run_job(photos, out)
    assert result.exit_code == 0, result.stderr
    paintings = members(out)
    assert list(paintings) == [f"photo{i}.jpg" for i in range(6)]
    for data in paintings.values():
        image = Image.open(io.BytesIO(data))
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (256, 256))
    assert len(set(paintings.values())) == 6

    table = rows(tmp_path / "images.csv")
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

    summary = json.loads((tmp_path / "images.json").read_text())
    assert summary["painted"] == 6
    assert summary["painter"]["revision"].startswith("sha256:")
    used = summary["settings"]
    assert used["paint"]["num_inference_steps"] == 2
    assert (used["paint"]["size"], used["paint"]["scheduler"]) == (64, "pndm")
    assert used["run"]["output_size"] == 256
    assert summary["zip"]["bytes"] == out.stat().st_size
    assert names(tmp_path) == {"photos", "images.zip", "images.csv", "images.json"}


def test_the_terminal_tells_what_is_found_done_and_where(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    (photos / "notes.txt").write_text("x")
    result = run_job(photos, tmp_path / "images.zip")
    first, *others = result.stderr.splitlines()
    assert first == f"Photos: 6 in {photos} (passed over: 1 other file)"
    assert any(line.startswith("Captioner: ") and "cpu, float32" in line for line in others)
    assert "Painting at 64 × 64 pixels, resized to 256 × 256 in the zip" in others
    assert any(line.startswith("The contest requires 7,000 to 10,000 images") for line in others)
    assert result.stderr.splitlines()[-1].startswith("Done: 6 paintings, ")
    assert result.stderr.rstrip().endswith(f"in {tmp_path / 'images.zip'}")
    assert not {"\r", "\x1b"} & set(result.output), "no control characters off a terminal"


def test_quiet_says_nothing(run_job: Run, photos: Path, tmp_path: Path) -> None:
    assert run_job(photos, tmp_path / "images.zip", "--quiet").output == ""


def test_the_same_photos_make_the_same_bytes(run_job: Run, photos: Path, tmp_path: Path) -> None:
    run_job(photos, tmp_path / "one.zip")
    run_job(photos, tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    run_job(photos, tmp_path / "other.zip", "--seed", 1)
    assert members(tmp_path / "other.zip") != members(tmp_path / "one.zip")


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


def test_a_byte_order_mark_is_no_part_of_the_style(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    run_job(photos, tmp_path / "a.zip", "--limit", 1, "--style", "\ufeffby monet")
    [row] = rows(tmp_path / "a.csv")
    assert row["prompt"] == f"{row['caption']} by monet"


def test_a_weight_is_skipped_where_the_prompt_lacks_it_and_told_if_none_has_it(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    captions = tmp_path / "given.csv"
    lines = [f"photo{i}.jpg,{'a pine' if i == 1 else 'a lake'}" for i in range(6)]
    captions.write_text("photo,caption\n" + "\n".join(lines))
    result = run_job(
        photos, tmp_path / "a.zip", "--captions", captions, "-w", "pine=-1", "-w", "elm=2"
    )
    assert result.exit_code == 0, result.stderr
    assert "Warning: --weight 'elm=2': no prompt contains 'elm'" in result.stderr
    assert "pine=-1" not in result.stderr
    assert [row["weights"] for row in rows(tmp_path / "a.csv")] == ["", '["pine=-1"]', *[""] * 4]


def test_what_the_text_limit_cuts_off_is_told(run_job: Run, photos: Path, tmp_path: Path) -> None:
    style = "very " * 80 + "blue"
    result = run_job(photos, tmp_path / "a.zip", "--limit", 2, "--style", style, "-w", "blue=2")
    assert result.exit_code == 0
    assert "2 of 2 prompts are longer than the 77 tokens" in result.stderr
    assert "--weight 'blue=2' has no effect in 2 of 2 prompts" in result.stderr


def test_metadata_is_written_where_it_is_asked_for(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    run_job(photos, tmp_path / "plain.zip", "--limit", 2)
    run_job(photos, tmp_path / "told.zip", "--limit", 2, "--metadata")
    for name, data in members(tmp_path / "told.zip").items():
        (tmp_path / name).write_bytes(data)
        plain = Image.open(io.BytesIO(members(tmp_path / "plain.zip")[name]))
        assert Image.open(tmp_path / name).tobytes() == plain.tobytes()
        assert not plain.getexif()
        infotext = read_infotext(tmp_path / name)
        [row] = [row for row in rows(tmp_path / "told.csv") if row["file"] == name]
        assert infotext.prompt == row["prompt"]
        assert infotext.settings["Seed"] == row["seed"]


def test_given_captions_are_painted(run_job: Run, photos: Path, tmp_path: Path) -> None:
    captions = tmp_path / "given.csv"
    captions.write_text("image,caption\n" + "".join(f"photo{i}.jpg,a lake {i}\n" for i in range(6)))
    result = run_job(photos, tmp_path / "a.zip", "--captions", captions)
    assert result.exit_code == 0, result.stderr
    assert [row["caption"] for row in rows(tmp_path / "a.csv")] == [f"a lake {i}" for i in range(6)]
    assert "Captioning" not in result.stderr


def test_given_captions_must_cover_the_photos(run_job: Run, photos: Path, tmp_path: Path) -> None:
    captions = tmp_path / "given.csv"
    captions.write_text("photo,caption\nphoto1.jpg,a lake\n")
    result = run_job(photos, tmp_path / "a.zip", "--captions", captions)
    assert result.exit_code == 1
    assert "no caption for 5 of the 6 photos" in result.stderr
    assert "photo0.jpg, photo2.jpg, photo3.jpg and 2 more. Add captions for them" in result.stderr
    assert names(tmp_path) == {"photos", "given.csv"}


def test_given_captions_may_lack_a_photo_that_cannot_be_read(
    cli: Run, run_job: Run, tiny: Tiny, photos: Path, tmp_path: Path
) -> None:
    (photos / "photo2.jpg").write_bytes(b"")
    captions = tmp_path / "captions.csv"
    made = cli("caption", photos, "--captioner", tiny.captioner, "-o", captions)
    assert made.exit_code == 3
    result = run_job(photos, tmp_path / "a.zip", "--captions", captions)
    assert result.exit_code == 3, result.stderr
    assert "photo2.jpg: empty file" in result.stderr
    assert len(members(tmp_path / "a.zip")) == 5


def test_captions_of_no_photo_are_told(run_job: Run, photos: Path, tmp_path: Path) -> None:
    captions = tmp_path / "given.csv"
    captions.write_text(
        "photo,caption\n"
        + "".join(f"photo{i}.jpg,a lake\n" for i in range(6))
        + "foto1.jpg,a sea\n"
    )
    result = run_job(photos, tmp_path / "a.zip", "--captions", captions)
    assert "unused captions, for photos that are not here: foto1.jpg" in result.stderr
    few = run_job(photos, tmp_path / "b.zip", "--captions", captions, "--limit", 2)
    assert "for no photo" not in few.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("num_inference_steps = '3'", "num_inference_steps must be a whole number, not '3'"),
        ("num_inference_steps = 7.5", "num_inference_steps must be a whole number, not 7.5"),
        ("guidance_scale = true", "guidance_scale must be a number, not True"),
        ("safety_checker = 'no'", "safety_checker must be true or false, not 'no'"),
        ("model = 4", "model must be text in quotes, not 4"),
        ("weight = 'pine=-1'", "weight must be a list such as"),
        ("scheduler = 'euler'", "'euler' is not one of 'pndm'"),
    ],
)
def test_a_presets_values_must_be_of_their_kind(
    run_job: Run, photos: Path, tmp_path: Path, text: str, message: str
) -> None:
    preset = tmp_path / "preset.toml"
    preset.write_text(f"[paint]\n{text}\n")
    result = run_job(photos, tmp_path / "a.zip", "--config", preset)
    assert result.exit_code == 2
    assert message in result.stderr


Interrupt = Callable[[int], None]


@pytest.fixture
def interrupt_after(monkeypatch: pytest.MonkeyPatch) -> Interrupt:
    """Let Ctrl-C be pressed after so many batches were painted."""

    def arrange(batches: int) -> None:
        painted = 0
        original = painter.Painter.start

        def start(self: painter.Painter, *args: object, **options: object) -> object:
            nonlocal painted
            if painted == batches:
                raise KeyboardInterrupt
            painted += 1
            return original(self, *args, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(painter.Painter, "start", start)

    return arrange


def test_an_interrupted_job_says_how_to_go_on_and_does(
    run_job: Run, photos: Path, tmp_path: Path, interrupt_after: Interrupt,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    run_job(photos, tmp_path / "whole.zip", "--batch-size", 2)
    with monkeypatch.context():
        interrupt_after(2)
        stopped = run_job(photos, tmp_path / "a.zip", "--batch-size", 2)
    assert stopped.exit_code == 130
    assert stopped.stderr.splitlines()[-1] == (
        f"Interrupted. 6 captions and 4 of 6 paintings are kept in {tmp_path / 'a.zip.work'}; "
        "the same command continues from there."
    )
    assert not (tmp_path / "a.zip").exists()
    monkeypatch.undo()
    resumed = run_job(photos, tmp_path / "a.zip", "--batch-size", 2)
    assert resumed.exit_code == 0
    assert "Painting: 6 paintings, 4 of them already done" in resumed.stderr
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "whole.zip").read_bytes()
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_captions_edited_between_are_painted(
    run_job: Run, photos: Path, tmp_path: Path, interrupt_after: Interrupt,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    interrupt_after(4)
    run_job(photos, tmp_path / "a.zip")
    monkeypatch.undo()
    table = tmp_path / "a.zip.work" / "captions.csv"
    made = {row["photo"]: row["caption"] for row in rows(table)}
    # One row edited, one removed; photo1 was painted already, photo5 was not.
    kept = {key: text for key, text in made.items() if key != "photo5.jpg"}
    kept["photo1.jpg"] = "a red sun"
    table.write_text("photo,caption\n" + "".join(f"{key},{text}\n" for key, text in kept.items()))
    result = run_job(photos, tmp_path / "a.zip")
    assert result.exit_code == 0, result.stderr
    prompts = {row["photo"]: row["prompt"] for row in rows(tmp_path / "a.csv")}
    assert prompts["photo1.jpg"] == f"a red sun {STYLE}"
    assert prompts["photo5.jpg"] == f"{made['photo5.jpg']} {STYLE}"
    assert "3 of them already done" in result.stderr

    run_job(photos, tmp_path / "b.zip")
    differing = [
        name
        for name, data in members(tmp_path / "b.zip").items()
        if members(tmp_path / "a.zip")[name] != data
    ]
    assert differing == ["photo1.jpg"]


def test_other_settings_do_not_mix_into_a_begun_job(
    run_job: Run, photos: Path, tmp_path: Path, interrupt_after: Interrupt,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    interrupt_after(1)
    run_job(photos, tmp_path / "a.zip")
    monkeypatch.undo()
    refused = run_job(photos, tmp_path / "a.zip", "--guidance-scale", 5)
    assert refused.exit_code == 2
    assert "--guidance-scale: 7.5 then, 5.0 now" in refused.stderr
    assert run_job(photos, tmp_path / "a.zip", "--guidance-scale", 5, "--overwrite").exit_code == 0


def test_an_existing_zip_is_replaced_only_by_leave(
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


def test_somebodys_files_beside_the_zip_are_not_replaced(
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


def test_reports_that_a_damaged_job_cannot_claim_are_refused_before_painting(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    run_job(photos, tmp_path / "a.zip", "--keep-work")
    (tmp_path / "a.zip").unlink()
    (tmp_path / "a.zip.work" / "job.json").write_text("")
    refused = run_job(photos, tmp_path / "a.zip")
    assert refused.exit_code == 2
    assert "a.csv exists. Use --update" in refused.output
    assert "Painting" not in refused.output
    updated = run_job(photos, tmp_path / "a.zip", "--update")
    assert updated.exit_code == 0, updated.output
    assert "job.json was damaged and is written again" in updated.output


def test_keep_work_keeps_captions_and_paintings(run_job: Run, photos: Path, tmp_path: Path) -> None:
    run_job(photos, tmp_path / "a.zip", "--keep-work")
    assert {"captions.csv", "paintings"} <= names(tmp_path / "a.zip.work")
    refused = run_job(photos, tmp_path / "a.zip", "--keep-work")
    assert refused.exit_code == 2
    assert "Use --update to keep the paintings in it that fit" in refused.stderr
    before = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").unlink()
    assert run_job(photos, tmp_path / "a.zip").exit_code == 0
    assert (tmp_path / "a.zip").read_bytes() == before


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
def test_mistakes_are_found_before_anything_is_made(
    cli: Run, tiny: Tiny, photos: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = cli("run", photos, tmp_path / "a.zip", *tiny.flags, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert names(tmp_path) == {"photos"}


def test_photos_of_another_folder_do_not_mix_in(
    run_job: Run, photos: Path, tmp_path: Path, interrupt_after: Interrupt,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    interrupt_after(1)
    run_job(photos, tmp_path / "a.zip")
    monkeypatch.undo()
    photos.rename(tmp_path / "others")
    refused = run_job(tmp_path / "others", tmp_path / "a.zip")
    assert refused.exit_code == 2
    assert f"PHOTOS: {photos} then, {tmp_path / 'others'} now" in refused.stderr


def test_a_painting_taken_from_the_workspace_is_made_again(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    run_job(photos, tmp_path / "a.zip", "--keep-work")
    before = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").unlink()
    next((tmp_path / "a.zip.work").rglob("photo3.jpg")).unlink()
    result = run_job(photos, tmp_path / "a.zip")
    assert result.exit_code == 0, result.stderr
    assert "5 of them already done" in result.stderr
    assert (tmp_path / "a.zip").read_bytes() == before


def test_captions_in_the_workspace_outlast_overwrite(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    run_job(photos, tmp_path / "a.zip", "--keep-work")
    captions = tmp_path / "a.zip.work" / "captions.csv"
    refused = run_job(photos, tmp_path / "a.zip", "--captions", captions, "--overwrite")
    assert refused.exit_code == 2
    assert "would be removed by --overwrite: copy it elsewhere first" in refused.stderr
    assert len(rows(captions)) == 6


def test_photos_may_come_and_go_while_a_job_is_stopped(
    run_job: Run, photos: Path, tmp_path: Path, interrupt_after: Interrupt,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    interrupt_after(4)
    run_job(photos, tmp_path / "a.zip")
    monkeypatch.undo()
    (photos / "photo1.jpg").unlink()
    Image.new("RGB", (40, 30), "teal").save(photos / "new.jpg")
    result = run_job(photos, tmp_path / "a.zip")
    assert result.exit_code == 0, result.stderr
    assert "1 photo new since this job began: new.jpg" in result.stderr
    assert "1 photo gone since this job began: photo1.jpg" in result.stderr
    assert "Painting: 6 paintings, 3 of them already done" in result.stderr
    run_job(photos, tmp_path / "b.zip")
    assert members(tmp_path / "a.zip") == members(tmp_path / "b.zip")


def test_another_picture_under_a_photos_name_is_captioned_and_painted(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    run_job(photos, tmp_path / "a.zip", "--keep-work")
    (tmp_path / "a.zip").unlink()
    Image.open(photos / "photo4.jpg").save(photos / "photo2.jpg")
    (photos / "photo3.jpg").touch()  # another time, the same content
    result = run_job(photos, tmp_path / "a.zip")
    assert result.exit_code == 0, result.stderr
    assert "1 photo changed since being captioned, and will be captioned again: photo2.jpg" in (
        result.stderr
    )
    run_job(photos, tmp_path / "b.zip")
    assert rows(tmp_path / "a.csv") == rows(tmp_path / "b.csv")
    assert members(tmp_path / "a.zip") == members(tmp_path / "b.zip")


def test_a_finished_zip_is_updated(run_job: Run, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.zip"
    run_job(photos, out)
    before = members(out)
    (photos / "photo1.jpg").unlink()
    Image.new("RGB", (40, 30), "teal").save(photos / "new.jpg")
    Image.open(photos / "photo4.jpg").save(photos / "photo2.jpg")
    refused = run_job(photos, out)
    assert refused.exit_code == 2
    assert "Use --update to keep the paintings in it that fit" in refused.stderr
    result = run_job(photos, out, "--update")
    assert result.exit_code == 0, result.stderr
    assert f"Imported: 6 paintings from {out}" in result.stderr
    assert "Painting: 6 paintings, 4 of them already done" in result.stderr
    run_job(photos, tmp_path / "b.zip")
    assert members(out) == members(tmp_path / "b.zip")
    assert rows(tmp_path / "a.csv") == rows(tmp_path / "b.csv")
    assert all(members(out)[f"photo{i}.jpg"] == before[f"photo{i}.jpg"] for i in (0, 3, 4, 5))
    assert names(tmp_path) == {
        "photos",
        *(f"{x}.{y}" for x in "ab" for y in ("zip", "csv", "json")),
    }


def test_an_update_by_other_settings_paints_all_again(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    run_job(photos, tmp_path / "a.zip")
    result = run_job(photos, tmp_path / "a.zip", "--update", "--guidance-scale", 2)
    assert result.exit_code == 0, result.stderr
    assert "was painted with other settings: all of it is painted again" in result.stderr
    assert "Captioning" not in result.stderr


@pytest.mark.parametrize("missing", ["a.csv", "a.json"])
def test_an_update_needs_the_reports(
    run_job: Run, photos: Path, tmp_path: Path, missing: str
) -> None:
    run_job(photos, tmp_path / "a.zip")
    (tmp_path / missing).unlink()
    before = (tmp_path / "a.zip").read_bytes()
    result = run_job(photos, tmp_path / "a.zip", "--update")
    assert result.exit_code == 2
    assert "--update needs a zip and both of its reports" in result.stderr
    assert (tmp_path / "a.zip").read_bytes() == before


def test_an_update_of_nothing_is_a_new_job(run_job: Run, photos: Path, tmp_path: Path) -> None:
    assert run_job(photos, tmp_path / "a.zip", "--update").exit_code == 0
    assert len(members(tmp_path / "a.zip")) == 6


def test_missing_captions_are_made_where_that_is_asked_for(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    given = tmp_path / "given.csv"
    given.write_text("photo,caption\nphoto2.jpg,a red sun\n")
    refused = run_job(photos, tmp_path / "a.zip", "--captions", given)
    assert refused.exit_code == 1
    assert "--caption-missing" in refused.stderr
    result = run_job(photos, tmp_path / "a.zip", "--captions", given, "--caption-missing")
    assert result.exit_code == 0, result.stderr
    run_job(photos, tmp_path / "b.zip")
    ours, all_made = (
        {row["photo"]: row["caption"] for row in rows(tmp_path / f"{name}.csv")} for name in "ab"
    )
    assert ours == {**all_made, "photo2.jpg": "a red sun"}
    alone = run_job(photos, tmp_path / "c.zip", "--caption-missing")
    assert alone.exit_code == 2
    assert "--caption-missing needs --captions" in alone.stderr


def kill_when(command: list[str], ready: Callable[[], bool]) -> None:
    """Start a command and kill it, as the power would, once something is there."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ)
    try:
        deadline = time.monotonic() + 120
        while not ready():
            assert process.poll() is None, "the job ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.002)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_a_job_killed_in_any_stage_ends_with_the_same_bytes(
    cli: Run, tiny: Tiny, photos: Path, tmp_path: Path
) -> None:
    for i in range(6, 24):
        Image.open(photos / f"photo{i % 6}.jpg").rotate(i * 9).save(photos / f"photo{i}.jpg")
    settings = [*tiny.flags, "--steps", "4", "--batch-size", "2", "--caption-batch-size", "2"]

    def run(out: Path) -> Result:
        return cli("run", photos, out, *settings)

    assert run(tmp_path / "whole.zip").exit_code == 0
    killed = tmp_path / "killed.zip"
    work = tmp_path / "killed.zip.work"
    command = [sys.executable, "-m", "monetize", "run", str(photos), str(killed), *settings]
    kill_when(command, lambda: (work / "captions.csv").exists())
    assert not (work / "paintings").exists(), "killed in the caption stage"
    kill_when(command, lambda: any((work / "paintings").glob("00003-????????")))
    assert not killed.exists(), "killed in the paint stage"
    assert run(killed).exit_code == 0
    for suffix in (".zip", ".csv"):
        ours, theirs = killed.with_suffix(suffix), tmp_path / f"whole{suffix}"
        assert ours.read_bytes() == theirs.read_bytes()
    assert not work.exists()


def test_a_job_cut_off_behind_the_last_rename_is_found_done(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("monetize.job.workspace.Workspace.finish", cut_off)
    assert run_job(photos, tmp_path / "a.zip").exit_code == 130
    monkeypatch.undo()
    before = (tmp_path / "a.zip").read_bytes()
    done = run_job(photos, tmp_path / "a.zip")
    assert done.exit_code == 0
    assert "Painting" not in done.stderr
    assert "Done: 6 paintings" in done.stderr
    assert (tmp_path / "a.zip").read_bytes() == before
    assert names(tmp_path) == {"photos", "a.zip", "a.csv", "a.json"}


def test_photos_of_one_name_keep_distinct_names(run_job: Run, photos: Path, tmp_path: Path) -> None:
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


def test_a_preset_holds_where_no_flag_is_given(run_job: Run, photos: Path, tmp_path: Path) -> None:
    preset = tmp_path / "preset.toml"
    preset.write_text(
        "[run]\nlimit = 2\nseed = 3\n[paint]\nweight = ['@1=2']\nguidance_scale = 5\n"
    )
    result = run_job(photos, tmp_path / "a.zip", "--config", preset, "--seed", 4)
    assert result.exit_code == 0, result.stderr
    settings = json.loads((tmp_path / "a.json").read_text())["settings"]
    assert (settings["run"]["limit"], settings["run"]["seed"]) == (2, 4)
    assert (settings["paint"]["guidance_scale"], settings["paint"]["weight"]) == (5.0, ["@1=2"])


def test_a_named_preset_gives_way_to_a_file_and_that_to_a_flag(
    cli: Run, tiny: Tiny, photos: Path, tmp_path: Path
) -> None:
    preset = tmp_path / "preset.toml"
    preset.write_text("[paint]\nscheduler = 'ddim'\nnum_inference_steps = 3\n")
    named, own = ["--preset", "draft"], ["--config", preset]
    for both in ([*named, *own], [*own, *named]):
        flags = [*tiny.flags, *both, "--steps", 2, "--overwrite"]
        assert cli("run", photos, tmp_path / "a.zip", *flags).exit_code == 0
        used = json.loads((tmp_path / "a.json").read_text())["settings"]["paint"]
        assert used["num_inference_steps"] == 2
        assert used["scheduler"] == "ddim"
        assert (used["guidance_start"], used["guidance_end"]) == (0.2, 0.8)
