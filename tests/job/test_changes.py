from pathlib import Path

import pytest

from monetize.errors import UsageError
from monetize.job.changes import check_settings, differences, photo_changes


def test_every_changed_setting_is_named_with_both_values() -> None:
    begun = {"--seed": 1, "--steps": 50, "--weight": []}
    check_settings(Path("out.zip.work"), begun, dict(begun))
    with pytest.raises(UsageError) as refused:
        check_settings(Path("out.zip.work"), begun, {**begun, "--steps": 20, "--weight": ["x=1"]})
    assert str(refused.value).splitlines()[1:3] == [
        "  --steps: 50 then, 20 now",
        "  --weight: none then, x=1 now",
    ]


def test_new_and_missing_photos_are_named() -> None:
    assert photo_changes(["a", "b"], ["b", "c"]) == [
        "1 photo new since this job began: c",
        "1 photo gone since this job began: a",
    ]
    assert photo_changes(["a"], ["a"]) == []


def test_a_value_that_was_added_or_removed_is_a_difference() -> None:
    assert differences({"torch": "1"}, {"ray": "2"}) == [
        "torch: 1 then, none now",
        "ray: none then, 2 now",
    ]
