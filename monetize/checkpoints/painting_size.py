"""Which sizes a checkpoint paints, from its configuration files."""

import math
import operator

from monetize.checkpoints.configs import read_config
from monetize.checkpoints.load_errors import explain_load_errors
from monetize.checkpoints.resolve import Checkpoint
from monetize.errors import CheckpointError, UsageError
from monetize.image_sizes import FIT, NativeSize, pixels_of


def native_size(checkpoint: Checkpoint) -> NativeSize:
    """Read a painter's own size; its side may be unusable, which `complete_size` reports."""
    vae = read_config(checkpoint, "vae/config.json")
    unet = read_config(checkpoint, "unet/config.json")
    with explain_load_errors(checkpoint):
        channels = vae.get("block_out_channels")
        factor = 2 ** (len(channels) - 1) if channels else 8  # the pipeline's default
        side = operator.index(unet.get("sample_size", 64)) * factor
        # The pipeline demands a multiple of 8, whatever the decoder's factor.
        return NativeSize(side, math.lcm(8, factor))


def complete_size(checkpoint: Checkpoint, size: int | str | None) -> int | str:
    """Return a size, or the checkpoint's own for None.

    Raises UsageError for a size that the checkpoint cannot paint, and CheckpointError if its own
    is needed and unusable.
    """
    native = native_size(checkpoint)
    if size in (None, FIT) and native.side <= 0:
        sample_size = read_config(checkpoint, "unet/config.json")["sample_size"]
        raise CheckpointError(
            f"--model {checkpoint.name}: its unet/config.json has the sample_size {sample_size}: "
            "give the size to paint with --size"
        )
    size = native.side if size is None else size
    if size == FIT:
        return size
    multiple = native.multiple
    for side in pixels_of(size):
        if side % multiple:
            lower = side // multiple * multiple
            raise UsageError(
                f"--size {size}: {checkpoint.name} paints sizes that are multiples of {multiple}, "
                f"such as {lower or 2 * multiple} or {lower + multiple}"
            )
    return size
