"""`monetize models`."""

import json

from helpers import Run

from monetize.checkpoints.resolve import POCKET_FOLDER


def test_models_lists_names_and_whether_they_are_here(cli: Run) -> None:
    text = cli("models").stdout
    assert "--model sd-v1-4: not on this machine yet" in text
    assert "--captioner vit-gpt2: not on this machine yet" in text
    assert "--model pocket: on this machine" in text
    objects = json.loads(cli("models", "--json").stdout)
    assert {each["name"] for each in objects} == {
        "pocket", "vit-gpt2", "sd-v1-4", "sd-v1-3", "sd-v1-2", "sd-v1-1",
    }  # fmt: skip


def test_json_says_where_a_model_is_how_large_and_what_is_missing(cli: Run) -> None:
    objects = json.loads(cli("models", "--json").stdout)
    [pocket] = [each for each in objects if each["name"] == "pocket" and each["kind"] == "painter"]
    assert pocket["path"] == str(POCKET_FOLDER / "painter")
    assert pocket["bytes"] > 1_000_000
    assert pocket["on_this_machine"] is True
    assert pocket["missing"] == []
    assert pocket["flag"] == "--model"
    [real] = [each for each in objects if each["name"] == "sd-v1-4"]
    assert (real["path"], real["bytes"], real["missing"]) == (None, 0, ["all files"])
    assert real["repository"] == "CompVis/stable-diffusion-v1-4"


def test_what_auto_chooses_is_told_with_the_reason(cli: Run) -> None:
    objects = json.loads(cli("models", "--json").stdout)
    chosen = {each["kind"]: each for each in objects if each["chosen_by_auto"]}
    assert set(chosen) == {"painter", "captioner"}
    lines = cli("models").stdout.splitlines()
    for each in chosen.values():
        start = next(
            i for i, line in enumerate(lines) if line.startswith(f"{each['flag']} {each['name']}:")
        )
        assert lines[start + 1] == f"    auto chooses it: {each['chosen_by_auto']}"
