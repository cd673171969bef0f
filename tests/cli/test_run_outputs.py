"""What names the outputs of a job, and what cannot be combined."""

from pathlib import Path

import pytest
from helpers import Run, names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("s3://bucket/images",), "s3://bucket/images: the output is a zip"),
        (("s3://bucket/",), "s3://bucket: give the zip a name, such as s3://bucket/images.zip"),
        (("s3://bucket/images.zip", "--gallery"), "--gallery needs an OUT on a disk"),
        (("s3://bucket/images.zip", "--join"), "needs --work-folder"),
        (("images.zip", "--work-folder", "."), "--work-folder is for an OUT in a store"),
    ],
)
def test_what_cannot_be_combined_is_refused(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...], message: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    result = run_job(photos, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert names(tmp_path) == {"photos"}
