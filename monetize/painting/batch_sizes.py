"""How many images are worth painting at once, by the kind of device and the size of the model."""

from monetize.painting.spec import PainterSpec

# Larger batches gain nothing on the fastest cards: 32 guided images are 64 samples, for which
# diffusers' upsampling drops channels_last.
MAX_BATCH_SIZE = 16
# On a CPU, a model of Stable Diffusion's size is as fast one image at a time, and less is lost when
# a job is stopped. A small model is twice as fast with eight at once.
SMALL_UNET_BYTES = 100_000_000
SMALL_BATCH_SIZE = 8


def chunk_size(spec: PainterSpec) -> int:
    """How many images to send and save at a time, in as many batches as memory requires."""
    return spec.settings.batch_size or max_batch_size(spec)


def max_batch_size(spec: PainterSpec) -> int:
    """The largest batch that pays off, if it fits into memory.

    It follows from the kind of device and the size of the unet, not from a measurement: a resumed
    job has to paint the same batches.
    """
    if spec.placement.device.type == "cuda":
        return MAX_BATCH_SIZE
    single = spec.checkpoint.file
    files = [single] if single else (spec.checkpoint.folder / "unet").iterdir()
    small = sum(file.stat().st_size for file in files) < SMALL_UNET_BYTES
    return SMALL_BATCH_SIZE if small else 1
