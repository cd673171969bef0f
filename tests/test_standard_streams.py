"""Standard streams that remember what they could not write."""

import errno
import io
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from monetize.standard_streams import TolerantFile, lost_output, write_error


def test_a_reader_that_has_gone_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    stream = io.TextIOWrapper(io.BufferedWriter(TolerantFile(theirs, "w")))
    monkeypatch.setattr(sys, "stdout", stream)
    print("x", flush=True)
    print("y", flush=True)
    error = write_error(stream)
    assert error is not None
    assert error.errno == errno.EPIPE
    assert lost_output() == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full on this system")
def test_a_full_disk_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BufferedWriter(TolerantFile("/dev/full", "w")))
    monkeypatch.setattr(sys, "stdout", stream)
    print("x")  # is still in the buffer
    assert lost_output() == "standard output cannot be written: No space left on device"


def test_a_stream_that_works_has_no_error(tmp_path: Path) -> None:
    with TolerantFile(tmp_path / "a", "w") as file:
        assert file.write(b"abc") == 3
        assert file.error is None
    assert (tmp_path / "a").read_bytes() == b"abc"
    assert write_error(io.StringIO()) is None
    assert write_error(None) is None


def test_no_file_gets_a_descriptor_of_a_closed_stream(tmp_path: Path) -> None:
    code = (
        "import os\nfrom monetize import standard_streams\nstandard_streams.install()\n"
        "assert os.open('a', os.O_CREAT | os.O_WRONLY) > 2"
    )
    line = f"{shlex.quote(sys.executable)} -c {shlex.quote(code)} <&- >&- 2>&-"
    assert subprocess.run(["bash", "-c", line], cwd=tmp_path).returncode == 0
    assert os.path.getsize(tmp_path / "a") == 0  # noqa: PTH202
