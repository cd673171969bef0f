"""Jobs that were stopped, and continue where they were."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from helpers import FinishedJob, Interrupt, Run, Tiny, members, names, rows
from PIL import Image

from monetize.captioning.encoder_decoder import EncoderDecoderCaptioner

STYLE = "in monet style painting"


def test_an_interrupted_job_says_how_to_continue_and_does(
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


def test_a_photo_whose_caption_was_emptied_is_captioned_again(
    run_job: Run, photos: Path, tmp_path: Path, interrupt_after: Interrupt
) -> None:
    table = tmp_path / "a.zip.work" / "captions.csv"
    interrupt_after(0)
    assert run_job(photos, tmp_path / "a.zip", "--limit", 1).exit_code == 130
    made = table.read_text()
    table.write_text("photo,caption\nphoto0.jpg,\n")
    assert run_job(photos, tmp_path / "a.zip", "--limit", 1).exit_code == 130
    assert table.read_text() == made


def test_photos_without_a_word_of_the_captioner_are_reported(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EncoderDecoderCaptioner, "caption", lambda _, images: [""] * len(images))
    result = run_job(photos, tmp_path / "a.zip", "--limit", 1)
    assert result.exit_code == 0, result.stderr
    assert (
        "the captioner has no words for 1 photo, painted from the style alone: photo0.jpg"
    ) in result.stderr


def test_captions_edited_in_the_meantime_are_painted(
    run_job: Run, finished: FinishedJob, photos: Path, tmp_path: Path, interrupt_after: Interrupt,
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
    assert f"1 edited caption kept from {table}: photo1.jpg" in result.stderr

    differing = [
        name
        for name, data in members(finished.archive).items()
        if members(tmp_path / "a.zip")[name] != data
    ]
    assert differing == ["photo1.jpg"]


def test_other_settings_do_not_mix_into_a_started_job(
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


def test_a_painting_removed_from_the_workspace_is_painted_again(
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


def test_captions_in_the_workspace_survive_overwrite(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    run_job(photos, tmp_path / "a.zip", "--keep-work")
    captions = tmp_path / "a.zip.work" / "captions.csv"
    refused = run_job(photos, tmp_path / "a.zip", "--captions", captions, "--overwrite")
    assert refused.exit_code == 2
    assert "would be removed by --overwrite: copy it elsewhere first" in refused.stderr
    assert len(rows(captions)) == 6


def test_photos_may_be_added_and_removed_while_a_job_is_stopped(
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


def kill_when(command: list[str], ready: Callable[[], bool]) -> None:
    """Start a command and kill it, like a power cut, once `ready` is true."""
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


def test_a_job_interrupted_after_the_last_rename_counts_as_done(
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
