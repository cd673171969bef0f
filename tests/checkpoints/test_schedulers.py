import json
import warnings
from pathlib import Path

import pytest
from helpers import CPU, Tiny

from monetize.checkpoints.layout import PAINTER
from monetize.checkpoints.loading import load_painting_pipeline
from monetize.checkpoints.resolve import resolve
from monetize.checkpoints.schedulers import OURS, load_scheduler
from monetize.errors import CheckpointError
from monetize.settings import SCHEDULERS


@pytest.mark.parametrize("scheduler", [None, *SCHEDULERS])
def test_every_scheduler_is_loaded_without_a_warning(tiny: Tiny, scheduler: str | None) -> None:
    checkpoint = resolve(str(tiny.painter), PAINTER)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("error", FutureWarning)
        loaded = load_painting_pipeline(checkpoint, CPU, scheduler=scheduler).scheduler
    name = SCHEDULERS[scheduler or "pndm"]
    assert type(loaded).__name__ == name
    assert name not in OURS or isinstance(loaded, OURS[name])


def set_scheduler(folder: Path, name: str) -> None:
    path = folder / "scheduler" / "scheduler_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "_class_name": name}))


def test_a_scheduler_for_other_models_is_refused(tiny_copy: Tiny) -> None:
    set_scheduler(tiny_copy.painter, "FlowMatchEulerDiscreteScheduler")
    with pytest.raises(CheckpointError, match=r"is not one for .*: choose --scheduler pndm, .*lcm"):
        load_scheduler(resolve(str(tiny_copy.painter), PAINTER), None)


def test_a_missing_package_of_a_scheduler_is_named(
    tiny_copy: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diffusers.utils.is_torchsde_available", lambda: False)
    set_scheduler(tiny_copy.painter, "DPMSolverSDEScheduler")
    checkpoint = resolve(str(tiny_copy.painter), PAINTER)
    with pytest.raises(CheckpointError, match=r"pip install torchsde, or choose --scheduler pndm"):
        load_scheduler(checkpoint, None)
    assert load_scheduler(checkpoint, "euler") is not None
