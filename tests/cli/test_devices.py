"""`monetize devices`."""

import json

import pytest
import torch
from helpers import Run


@pytest.mark.skipif(torch.cuda.is_available(), reason="shows a machine without CUDA")
def test_devices_lists_what_works_and_what_is_used(cli: Run) -> None:
    lines = cli("devices").stdout.splitlines()
    assert lines[0].startswith(f"torch {torch.__version__}, built ")
    assert "    works: float32 by default, flash attention" in lines
    assert lines[-1] == "Used by default: cpu, --captioner pocket --model pocket"
    found = json.loads(cli("devices", "--json").stdout)
    assert found["used_by_default"] == ["cpu"]
    assert [each["device"] for each in found["devices"]][-1] == "cpu"


@pytest.mark.skipif(torch.version.cuda is not None, reason="shows a torch without CUDA")
def test_a_card_that_does_not_compute_makes_it_fail_after_the_list(
    cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("is_available", lambda: True),
        ("device_count", lambda: 1),
        ("get_device_name", lambda device: "Tesla P100-PCIE-16GB"),
        ("get_device_capability", lambda device: (6, 0)),
    ):
        monkeypatch.setattr(torch.cuda, name, value)
    monkeypatch.setattr("monetize.device_report.total_memory", lambda device: 17_059_545_088)
    result = cli("devices")
    assert result.exit_code == 2
    assert "cuda:0: Tesla P100-PCIE-16GB, 17.1GB, compute capability 6.0" in result.stdout
    assert "cpu: " in result.stdout
    assert "Used by default" not in result.stdout
    assert "Error: --device cuda: torch" in result.stderr
