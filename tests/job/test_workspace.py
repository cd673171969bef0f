from pathlib import Path

import pytest

from monetize.errors import InputError, Interrupted, MonetizeError, StorageError, UsageError
from monetize.job.outcome import Outcome
from monetize.job.workspace import Workspace

OUTCOME = Outcome(2, 1, {"c.jpg": "empty file"}, 512, "0f" * 32)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_an_unused_workspace_leaves_nothing(tmp_path: Path) -> None:
    with Workspace(tmp_path / "out.zip"):
        assert names(tmp_path) == {"out.zip.work"}
    assert names(tmp_path) == set()


def test_a_begun_job_stays_and_a_finished_one_goes(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "out.zip")
    with workspace:
        workspace.begin({"--seed": 1}, {})
    assert names(tmp_path) == {"out.zip.work"}
    with workspace:
        workspace.finish(keep=False)
    assert names(tmp_path) == set()


def test_a_second_process_is_kept_out(tmp_path: Path) -> None:
    with (
        Workspace(tmp_path / "out.zip"),
        pytest.raises(UsageError, match=r"out.zip is being made by another monetize run"),
        Workspace(tmp_path / "out.zip"),
    ):
        pass


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out.zip.work").mkdir()
    (tmp_path / "out.zip.work" / "thesis.txt").write_text("x")
    with (
        pytest.raises(UsageError, match=r"out.zip.work is in the way"),
        Workspace(tmp_path / "out.zip"),
    ):
        pass
    assert (tmp_path / "out.zip.work" / "thesis.txt").read_text() == "x"


@pytest.mark.parametrize("error", [UsageError, InputError])
def test_a_job_refused_before_anything_was_made_leaves_nothing(
    tmp_path: Path, error: type[MonetizeError]
) -> None:
    with pytest.raises(error), Workspace(tmp_path / "out.zip") as workspace:
        workspace.begin({"--seed": 1}, {})
        raise error
    assert names(tmp_path) == set()


@pytest.mark.parametrize("error", [StorageError, Interrupted])
def test_a_job_that_was_stopped_stays(tmp_path: Path, error: type[MonetizeError]) -> None:
    with pytest.raises(error), Workspace(tmp_path / "out.zip") as workspace:
        workspace.begin({"--seed": 1}, {})
        raise error
    assert Workspace(tmp_path / "out.zip").started


def test_a_job_that_was_begun_before_outlasts_a_refusal(tmp_path: Path) -> None:
    with Workspace(tmp_path / "out.zip") as workspace:
        workspace.begin({"--seed": 1}, {})
    with (
        pytest.raises(UsageError, match="--seed: 1 then, 2 now"),
        Workspace(tmp_path / "out.zip") as workspace,
    ):
        workspace.begin({"--seed": 2}, {})
    assert Workspace(tmp_path / "out.zip").started


def test_other_settings_are_refused_with_both_values(tmp_path: Path) -> None:
    begun = {"--seed": 1, "--num-inference-steps": 50, "photos": ["a", "b"], "--weight": []}
    now = {"--seed": 1, "--num-inference-steps": 20, "photos": ["b", "c"], "--weight": ["x=1"]}
    with Workspace(tmp_path / "out.zip") as workspace:
        workspace.begin(begun, {})
        workspace.begin(dict(begun), {})
        with pytest.raises(UsageError) as refused:
            workspace.begin(now, {})
        workspace.begin(now, {}, overwrite=True)
    message = str(refused.value)
    assert "--num-inference-steps: 50 then, 20 now" in message
    assert "photos (see --limit, --recursive): 1 gone (a), 1 new (c)" in message
    assert "--weight: none then, x=1 now" in message
    assert "--seed" not in message
    assert "--overwrite to start afresh" in message


def test_other_versions_are_told(tmp_path: Path) -> None:
    with Workspace(tmp_path / "out.zip") as workspace:
        assert workspace.begin({}, {"torch": "1"}) == []
        assert workspace.begin({}, {"torch": "2"}) == ["torch: 1 then, 2 now"]


def test_a_chunk_appears_whole_and_replaces_an_older_one(tmp_path: Path) -> None:
    with Workspace(tmp_path / "out.zip") as workspace:
        assert workspace.chunk(3) is None
        workspace.save_chunk(3, {"items": [1]}, {"a.jpg": b"a", "b.jpg": b"b"})
        workspace.save_chunk(3, {"items": [2]}, {"b.jpg": b"B"})
        assert workspace.chunk(3) == {"items": [2]}
        assert workspace.painting(3, "b.jpg").read_bytes() == b"B"
        assert not workspace.painting(3, "a.jpg").exists()
        assert workspace.painted() == 1


def test_half_a_chunk_does_not_count(tmp_path: Path) -> None:
    with Workspace(tmp_path / "out.zip") as workspace:
        half = workspace.painting(0, "a.jpg").parent.with_name("00000.part")
        half.mkdir(parents=True)
        (half / "a.jpg").write_bytes(b"half")
        assert workspace.chunk(0) is None
        assert workspace.painted() == 0
        workspace.save_chunk(0, {"items": []}, {"b.jpg": b"b"})
        assert names(workspace.painting(0, "b.jpg").parent) == {"b.jpg", "chunk.json"}


def test_it_knows_of_being_cut_off_behind_the_rename(tmp_path: Path) -> None:
    out, table = tmp_path / "out.zip", tmp_path / "out.csv"
    with Workspace(out) as workspace:
        workspace.begin({}, {})
        for path in (out, table):
            workspace.packed(path).write_bytes(path.suffix.encode())
        assert Workspace(out).published is None
        workspace.publish((table,), OUTCOME)
        assert Workspace(out).published == OUTCOME
        assert (out.read_bytes(), table.read_bytes()) == (b".zip", b".csv")
        workspace.finish(keep=True)
        assert Workspace(out).published is None


def test_a_file_that_came_while_the_job_ran_is_not_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out.zip"
    with Workspace(out) as workspace:
        workspace.begin({}, {})
        workspace.packed(out).write_bytes(b"ours")
        out.write_bytes(b"theirs")
        with pytest.raises(UsageError, match="was put there while the job ran: move it away"):
            workspace.publish((), OUTCOME)
    assert out.read_bytes() == b"theirs"


def test_a_workspace_cut_off_while_it_is_cleared_stays_one_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Workspace(tmp_path / "out.zip") as workspace:
        workspace.begin({"--seed": 1}, {})
        workspace.save_captions({"a.jpg": "a"})
        workspace.save_chunk(0, {}, {"a.jpg": b"a"})

    def cut_off(path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("monetize.job.workspace.shutil.rmtree", cut_off)
        with Workspace(tmp_path / "out.zip") as workspace:
            workspace.begin({"--seed": 2}, {}, overwrite=True)
    with Workspace(tmp_path / "out.zip") as workspace:
        with pytest.raises(UsageError, match="--seed: 1 then, 2 now"):
            workspace.begin({"--seed": 2}, {})
        workspace.begin({"--seed": 2}, {}, overwrite=True)
        assert workspace.chunk(0) is None
        assert workspace.captions() == {}
