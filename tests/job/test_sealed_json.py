from pathlib import Path

import pytest

from monetize.job.sealed_json import read_sealed, write_sealed


@pytest.mark.parametrize("content", [{}, [1, None, "é\udce9"], {"a": {"b": [True]}}])
def test_content_comes_back(tmp_path: Path, content: object) -> None:
    write_sealed(tmp_path / "a.json", content)
    assert read_sealed(tmp_path / "a.json") == content


@pytest.mark.parametrize("data", [b"", b"{", b"null", b"[1]", b'{"sha256": "0"}', b"[" * 100_000])
def test_anything_else_is_damaged(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.json").write_bytes(data)
    assert read_sealed(tmp_path / "a.json") is None


def test_a_missing_file_is_none(tmp_path: Path) -> None:
    assert read_sealed(tmp_path / "a.json") is None
