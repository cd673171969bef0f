"""Templates and files of styles in a job: what is painted, and what is painted again."""

import json
from pathlib import Path

from helpers import Run, rows

TEMPLATE = "a painting of {caption} in {folder} ({stem})"


def prompts(table: Path) -> dict[str, str]:
    return {row["photo"]: row["prompt"] for row in rows(table)}


def test_a_template_is_filled_for_each_photo(run_job: Run, photos: Path, tmp_path: Path) -> None:
    (photos / "paris").mkdir()
    (photos / "photo1.jpg").rename(photos / "paris" / "photo1.jpg")
    for sidecar in ("photo0", "paris/photo1"):
        (photos / f"{sidecar}.txt").write_text("a {lake}")
    command = (photos, tmp_path / "a.zip", "--captions", photos, "--limit", 2, "--metadata")
    result = run_job(*command, "--style", TEMPLATE, "--caption-missing")
    assert result.exit_code == 0, result.stderr
    assert prompts(tmp_path / "a.csv") == {
        "paris/photo1.jpg": "a painting of a {lake} in paris (photo1)",
        "photo0.jpg": "a painting of a {lake} in photos (photo0)",
    }
    summary = json.loads((tmp_path / "a.json").read_text())
    assert summary["settings"]["run"]["style"] == TEMPLATE


def test_an_unknown_brace_is_refused_before_any_work(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    result = run_job(photos, tmp_path / "a.zip", "--style", "by {artist}")
    assert result.exit_code == 2
    assert "unknown {artist}: write {caption}, {stem} or {folder}" in result.stderr


def test_the_photos_seed_picks_a_style_of_a_file(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    styles = tmp_path / "styles.txt"
    styles.write_text("by monet\n{caption} by renoir\nby degas\n")
    command = (photos, tmp_path / "a.zip", "--style-file", styles)
    assert run_job(*command).exit_code == 0
    first = prompts(tmp_path / "a.csv")
    ends = {prompt.rpartition("by ")[2] for prompt in first.values()}
    assert ends <= {"monet", "renoir", "degas"}
    assert len(ends) > 1
    assert json.loads((tmp_path / "a.json").read_text())["settings"]["run"]["style_file"] == str(
        styles
    )
    gone = ends.pop()
    kept = "".join(line for line in styles.read_text().splitlines(True) if gone not in line)
    styles.write_text(kept)
    again = run_job(*command, "--update")
    assert again.exit_code == 0, again.stderr
    changed = [photo for photo, prompt in first.items() if gone in prompt]
    now = prompts(tmp_path / "a.csv")
    assert {photo for photo in first if now[photo] != first[photo]} == set(changed)
    assert f"{len(first) - len(changed)} of them already done" in again.stderr


def test_a_style_and_a_file_of_styles_are_one_too_many(
    cli: Run, photos: Path, tmp_path: Path
) -> None:
    styles = tmp_path / "styles.txt"
    styles.write_text("by monet\n")
    both = [("--style", "x"), ("--style-file", styles)]
    for first, second in (both, both[::-1]):
        result = cli("run", photos, tmp_path / "a.zip", *first, *second)
        assert result.exit_code == 2
        assert "--style and --style-file are both given: leave one out" in result.stderr


def test_a_flag_overrides_the_file_of_a_preset(run_job: Run, photos: Path, tmp_path: Path) -> None:
    styles, preset = tmp_path / "styles.txt", tmp_path / "preset.toml"
    styles.write_text("by degas\n")
    preset.write_text(f"[run]\nstyle_file = '{styles}'\nlimit = 1\n")
    command = (photos, tmp_path / "a.zip", "--config", preset, "--overwrite")
    for flags, end in (((), "by degas"), (("--style", "by monet"), "by monet")):
        result = run_job(*command, *flags)
        assert result.exit_code == 0, result.stderr
        [prompt] = prompts(tmp_path / "a.csv").values()
        assert prompt.endswith(end)
