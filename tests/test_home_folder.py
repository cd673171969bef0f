import os
import stat
import tempfile
from pathlib import Path

import pytest

from monetize.home_folder import ensure_home


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A system that does not know this user; returns its folder for temporary files."""

    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_user_without_a_home_gets_a_private_one_that_stays(homeless: Path) -> None:
    ensure_home()
    home = Path.home()
    assert home.parent == homeless
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    del os.environ["HOME"]
    ensure_home()
    assert Path.home() == home


def test_a_folder_that_others_can_write_is_not_used(homeless: Path) -> None:
    prepared = homeless / f"monetize-{os.getuid()}"
    prepared.mkdir()
    prepared.chmod(0o777)
    ensure_home()
    assert Path.home() != prepared
    assert stat.S_IMODE(Path.home().stat().st_mode) == 0o700


def test_without_any_folder_to_write_there_is_still_no_error(
    homeless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(homeless / "missing"))
    ensure_home()
    assert not Path.home().exists()


def test_a_home_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    ensure_home()
    assert Path.home() == tmp_path
