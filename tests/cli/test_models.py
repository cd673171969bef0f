"""`monetize models`."""

import json

from helpers import Run


def test_models_lists_names_and_whether_they_are_here(cli: Run) -> None:
    text = cli("models").stdout
    assert "--model sd-v1-4: not on this machine yet" in text
    assert "--captioner vit-gpt2: not on this machine yet" in text
    assert "--model pocket: on this machine" in text
    objects = json.loads(cli("models", "--json").stdout)
    assert {each["name"] for each in objects} == {
        "pocket", "vit-gpt2", "sd-v1-4", "sd-v1-3", "sd-v1-2", "sd-v1-1",
    }  # fmt: skip
