from pathlib import Path

import pytest
from helpers import names

from monetize.errors import InputError, Interrupted, MonetizeError, StorageError, UsageError
from monetize.job.outcome import Outcome
from monetize.job.painting_store import NewPainting
from monetize.job.workspace import Workspace
from monetize.progress import Reporter

OUTCOME = Outcome(2, 1, {"c.jpg": "empty file"}, 512, "0f" * 32)


def begin(workspace: Workspace, seed: int = 1, **options: bool) -> list[str]:
    return workspace.begin({"--seed": seed}, ["a.jpg"], {}, **options)


def test_an_unused_workspace_leaves_nothing(tmp_path: Path) -> None:
    with Workspace(tmp_path / "out.zip"):
        assert names(tmp_path) == {"out.zip.work"}
    assert names(tmp_path) == set()


def test_a_started_job_stays_and_a_finished_one_is_removed(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "out.zip")
    with workspace:
        begin(workspace)
    assert names(tmp_path) == {"out.zip.work"}
    with workspace:
        workspace.finish(keep=False)
    assert names(tmp_path) == set()


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out.zip.work").mkdir()
    (tmp_path / "out.zip.work" / "thesis.txt").write_text("x")
    with (
        pytest.raises(UsageError, match=r"out.zip.work is in the way"),
        Workspace(tmp_path / "out.zip"),
    ):
        pass
    assert (tmp_path / "out.zip.work" / "thesis.txt").read_text() == "x"


@pytest.mark.parametrize("left", ["job.json", "captions.jsonl"])
def test_a_workspace_whose_lock_was_not_copied_is_still_one(tmp_path: Path, left: str) -> None:
    (tmp_path / "out.zip.work").mkdir()
    (tmp_path / "out.zip.work" / left).write_text("")
    with Workspace(tmp_path / "out.zip") as workspace:
        begin(workspace)


@pytest.mark.parametrize("error", [UsageError, InputError])
def test_a_job_refused_before_anything_was_made_leaves_nothing(
    tmp_path: Path, error: type[MonetizeError]
) -> None:
    with pytest.raises(error), Workspace(tmp_path / "out.zip") as workspace:
        begin(workspace)
        raise error
    assert names(tmp_path) == set()


@pytest.mark.parametrize("error", [StorageError, Interrupted])
def test_a_job_that_was_stopped_stays(tmp_path: Path, error: type[MonetizeError]) -> None:
    with pytest.raises(error), Workspace(tmp_path / "out.zip") as workspace:
        begin(workspace)
        raise error
    assert Workspace(tmp_path / "out.zip").record.started


def test_a_job_started_earlier_survives_a_refusal(tmp_path: Path) -> None:
    with Workspace(tmp_path / "out.zip") as workspace:
        begin(workspace)
    with (
        pytest.raises(UsageError, match="--seed: 1 then, 2 now"),
        Workspace(tmp_path / "out.zip") as workspace,
    ):
        begin(workspace, seed=2)
    assert Workspace(tmp_path / "out.zip").record.started


def test_a_leftover_of_a_finished_job_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "out.zip.work"
    folder.mkdir()
    (folder / "lock").touch()
    Workspace(tmp_path / "out.zip").remove_leftover()
    assert names(tmp_path) == set()
    with Workspace(tmp_path / "out.zip") as workspace:
        Workspace(tmp_path / "out.zip").remove_leftover()
        assert folder.exists(), "it is in use"
        begin(workspace)
    Workspace(tmp_path / "out.zip").remove_leftover()
    assert folder.exists(), "it holds a job"


def test_it_notices_an_interruption_after_the_rename(tmp_path: Path) -> None:
    out, table = tmp_path / "out.zip", tmp_path / "out.csv"
    with Workspace(out) as workspace:
        begin(workspace)
        for path in (out, table):
            workspace.packed(path).write_bytes(path.suffix.encode())
        assert Workspace(out).published is None
        workspace.publish((table,), OUTCOME, Reporter())
        assert Workspace(out).published == OUTCOME
        assert (out.read_bytes(), table.read_bytes()) == (b".zip", b".csv")
        workspace.finish(keep=True)
        assert Workspace(out).published is None


def test_a_file_that_appeared_while_the_job_ran_is_not_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out.zip"
    with Workspace(out) as workspace:
        begin(workspace)
        workspace.packed(out).write_bytes(b"ours")
        out.write_bytes(b"theirs")
        with pytest.raises(UsageError, match="appeared while the job ran: move it away"):
            workspace.publish((), OUTCOME, Reporter())
    assert out.read_bytes() == b"theirs"


@pytest.mark.parametrize("option", ["overwrite", "update"])
def test_a_zip_is_replaced_if_that_was_allowed(tmp_path: Path, option: str) -> None:
    out = tmp_path / "out.zip"
    out.write_bytes(b"old")
    with Workspace(out) as workspace:
        begin(workspace, **{option: True})
    with Workspace(out) as workspace:
        begin(workspace)
        workspace.packed(out).write_bytes(b"new")
        workspace.publish((), OUTCOME, Reporter())
    assert out.read_bytes() == b"new"


def test_a_workspace_interrupted_while_it_is_cleared_is_still_one_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Workspace(tmp_path / "out.zip") as workspace:
        begin(workspace)
        workspace.save_captions({"a.jpg": "a"})
        workspace.paintings.save(0, [NewPainting("1", "a.jpg", b"a", 1, flagged=False)])

    def cut_off(path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("monetize.job.workspace.shutil.rmtree", cut_off)
        with Workspace(tmp_path / "out.zip") as workspace:
            begin(workspace, seed=2, overwrite=True)
    with Workspace(tmp_path / "out.zip") as workspace:
        with pytest.raises(UsageError, match="--seed: 1 then, 2 now"):
            begin(workspace, seed=2)
        begin(workspace, seed=2, overwrite=True)
        assert workspace.paintings.count() == 0
        assert workspace.captions() is None
