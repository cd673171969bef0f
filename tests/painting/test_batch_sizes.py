from pathlib import Path

import torch
from helpers import CPU

from monetize.checkpoints.layout import PAINTER
from monetize.checkpoints.resolve import Checkpoint, resolve
from monetize.devices import Placement
from monetize.painting.batch_sizes import MAX_BATCH_SIZE, SMALL_UNET_BYTES, max_batch_size
from monetize.painting.spec import PainterSpec
from monetize.settings import PaintSettings


def test_a_cpu_paints_several_at_once_only_with_a_small_model(tmp_path: Path) -> None:
    assert max_batch_size(PainterSpec(resolve("pocket", PAINTER), CPU, PaintSettings())) == 8
    (tmp_path / "unet").mkdir()
    with (tmp_path / "unet" / "model.safetensors").open("wb") as file:
        file.truncate(SMALL_UNET_BYTES)
    large = Checkpoint("large", "large", tmp_path, PAINTER)
    assert max_batch_size(PainterSpec(large, CPU, PaintSettings())) == 1
    single = Checkpoint("one", "one", tmp_path, PAINTER, file=tmp_path / "unet/model.safetensors")
    assert max_batch_size(PainterSpec(single, CPU, PaintSettings())) == 1
    gpu = Placement(torch.device("cuda"), torch.float16)
    assert max_batch_size(PainterSpec(large, gpu, PaintSettings())) == MAX_BATCH_SIZE
