"""What a job says about weights that do not act."""

from pathlib import Path

from helpers import Run, rows


def test_a_weight_is_skipped_where_its_word_is_missing_and_reported_if_it_always_is(
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


def test_what_the_text_limit_cuts_off_is_reported(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    style = "very " * 80 + "blue"
    result = run_job(photos, tmp_path / "a.zip", "--limit", 2, "--style", style, "-w", "blue=2")
    assert result.exit_code == 0
    assert "2 of 2 prompts are longer than the 77 tokens" in result.stderr
    assert "--weight 'blue=2' has no effect in 2 of 2 prompts" in result.stderr
