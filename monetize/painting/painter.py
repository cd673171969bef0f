"""Prompts + seeds → paintings, with Stable Diffusion and weighted cross-attention."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from torch import Tensor

from monetize.checkpoints.loading import complete_settings, load_painting_pipeline
from monetize.checkpoints.resolve import Checkpoint
from monetize.devices import Placement
from monetize.errors import OutOfMemory, PaintingError
from monetize.images.color_transfer import Palette
from monetize.messages import counted
from monetize.painting.attention.recorder import AttentionRecorder
from monetize.painting.denoiser import Denoiser, StepCallback
from monetize.prompts.prompt import Prompt
from monetize.settings import PaintSettings

# The decoder's memory grows with its batch: 2.5 GFLOP and 1 GB a picture of 512 x 512.
DECODED_AT_ONCE = {"cuda": 4}


@dataclass(frozen=True)
class Painting:
    """A finished picture; `flagged` ones were blacked out by the safety checker.

    `heat`, if it was asked for, is where each text position acted: (text positions, height and
    width of the latents), see `heatmaps.py`.
    """

    image: Image.Image
    flagged: bool = False
    heat: Tensor | None = field(default=None, compare=False)


def recoloured(
    paintings: Sequence[Painting], seeds: Sequence[int], palette: Palette | None
) -> list[Painting]:
    """The paintings with the palette's colours, but for those that were blacked out."""
    if palette is None:
        return list(paintings)
    return [
        each if each.flagged else replace(each, image=palette.apply(each.image, seed))
        for each, seed in zip(paintings, seeds, strict=True)
    ]


class Pending:
    """A batch that was sent to the device, which may be at work on it still."""

    def __init__(
        self,
        pixels: Tensor,
        finite: Tensor,
        flags: Sequence[bool],
        overflow: str,
        heat: Tensor | None = None,
    ) -> None:
        # On CUDA this gives pinned memory, and does not wait; others do not tell when it is done.
        self._pixels = pixels.to("cpu", non_blocking=pixels.is_cuda)
        self._finite = finite.to("cpu", non_blocking=pixels.is_cuda)
        self._flags = flags
        self._overflow = overflow
        self._heat = heat
        self._arrived: torch.cuda.Event | None = None
        if pixels.is_cuda:
            self._arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._arrived.record(torch.cuda.current_stream(pixels.device))

    def result(self) -> list[Painting]:
        """Wait for the pictures; raises PaintingError if the numbers overflowed."""
        if self._arrived is not None:
            self._arrived.synchronize()
        if not self._finite:
            raise PaintingError(self._overflow)
        images = [Image.fromarray(each.numpy()) for each in self._pixels]
        heats = [None] * len(images) if self._heat is None else self._heat.cpu().unbind()
        return [Painting(*each) for each in zip(images, self._flags, heats, strict=True)]


class Painter:
    """A Stable Diffusion pipeline with the complete settings that it is used with."""

    def __init__(
        self,
        pipeline: StableDiffusionPipeline,
        settings: PaintSettings,
        device: torch.device | None = None,
    ) -> None:
        self.pipeline = pipeline
        self.settings = settings
        self.device = device or pipeline.device
        self.takes_turns = False
        self.size = settings.size or pipeline.unet.config.sample_size * pipeline.vae_scale_factor
        self._denoiser = Denoiser(pipeline, self.device)

    @classmethod
    def load(
        cls, checkpoint: Checkpoint, placement: Placement, settings: PaintSettings
    ) -> "Painter":
        """Load a resolved checkpoint; raises CheckpointError if its folder is not a painter's."""
        settings = complete_settings(checkpoint, settings)
        pipeline = load_painting_pipeline(
            checkpoint,
            placement,
            scheduler=settings.scheduler,
            safety_checker=settings.safety_checker,
        )
        painter = cls(pipeline, settings, placement.device)
        try:
            pipeline.to(placement.device)
        except torch.OutOfMemoryError:
            painter.take_turns()
        if placement.device.type == "cuda":
            painter.use_channels_last()
        return painter

    def use_channels_last(self) -> None:
        """Lay the convolutions out as half-precision CUDA kernels want them; no gain elsewhere."""
        self.pipeline.unet.to(memory_format=torch.channels_last)
        self.pipeline.vae.to(memory_format=torch.channels_last)

    def take_turns(self) -> None:
        """Have the text encoder, the unet and the decoder on the device one after the other.

        For cards that do not hold them all; each batch then moves 2 GB there and back.
        """
        self.pipeline.enable_model_cpu_offload(device=self.device)
        self.takes_turns = True

    def compile(self, backend: str = "inductor") -> None:
        """Have the unet compiled for the sizes of the batches to come.

        Each new batch size is compiled anew when it first comes, for a minute or more. The decoder
        is 3% of the work of 50 steps and stays as it is.
        """
        self.pipeline.unet.compile(backend=backend, dynamic=False)

    def paint(
        self,
        prompts: Sequence[Prompt],
        seeds: Sequence[int],
        on_step: StepCallback | None = None,
        settings: PaintSettings | None = None,
    ) -> list[Painting]:
        """Paint one batch: a size × size picture for each prompt and seed.

        on_step is told the steps done and their number, which is that of the scheduler's
        evaluations (51 for 50 PNDM steps). `settings`, complete ones of the same size, take the
        place of the painter's own for this batch. Raises OutOfMemory, and PaintingError if the
        numbers overflow.
        """
        return self.start(prompts, seeds, on_step, settings).result()

    def start(
        self,
        prompts: Sequence[Prompt],
        seeds: Sequence[int],
        on_step: StepCallback | None = None,
        settings: PaintSettings | None = None,
        *,
        heat: bool = False,
    ) -> Pending:
        """Send one batch to the device, as `paint`, without waiting for its pictures.

        With `heat`, record where each text position acts; the pictures stay the same to the bit.
        """
        with self._memory_explained(len(prompts)):
            if not heat:
                return self.decode(self.denoise(prompts, seeds, on_step, settings), prompts)
            side = self.size // self.pipeline.vae_scale_factor
            with AttentionRecorder(
                self.pipeline.unet, self._denoiser.weighting, len(prompts), (side, side)
            ) as recorder:
                latents = self.denoise(prompts, seeds, on_step, settings)
            return self.decode(latents, prompts, recorder.maps())

    def noise(self, seeds: Sequence[int]) -> Tensor:
        """Draw the starting latents, shape = (len(seeds), channels, size / 8, size / 8) for SD v1.

        Each is drawn on the CPU in float32 by its own generator, so that a seed means the same
        painting in any batch, on any device, and in any precision up to rounding.
        """
        side = self.size // self.pipeline.vae_scale_factor
        shape = (1, self.pipeline.unet.config.in_channels, side, side)
        return torch.cat(
            [
                torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed))
                for seed in seeds
            ]
        )

    @torch.inference_mode()
    def denoise(
        self,
        prompts: Sequence[Prompt],
        seeds: Sequence[int],
        on_step: StepCallback | None = None,
        settings: PaintSettings | None = None,
    ) -> Tensor:
        """Run the denoising loop; returns latents shaped as those of `noise`."""
        return self._denoiser(prompts, self.noise(seeds), settings or self.settings, on_step)

    @torch.inference_mode()
    def decode(
        self, latents: Tensor, prompts: Sequence[Prompt] = (), heat: Tensor | None = None
    ) -> Pending:
        """Turn latents into pictures, a few at a time to bound the decoder's memory.

        The prompts' weights are named where the numbers overflow. `heat` goes with the pictures.
        """
        pipeline = self.pipeline
        scaled = latents / pipeline.vae.config.scaling_factor
        finite = torch.isfinite(latents).all()
        pixels, flags = [], list[bool]()
        for some in torch.split(scaled, DECODED_AT_ONCE.get(self.device.type, 1)):
            decoded = pipeline.vae.decode(some).sample
            finite &= torch.isfinite(decoded).all()
            checked, flagged = pipeline.run_safety_checker(decoded, self.device, latents.dtype)
            flags += flagged or [False] * len(some)
            # What is blacked out is so in the pictures' own range, from 0.
            shown = [
                picture if black else pipeline.image_processor.denormalize(picture)
                for picture, black in zip(checked, flags[-len(some) :], strict=True)
            ]
            pixels.append((torch.stack(shown).float() * 255).round().to(torch.uint8))
        channels_last = torch.cat(pixels).permute(0, 2, 3, 1).contiguous()
        return Pending(channels_last, finite, flags, _overflow(latents.dtype, prompts), heat)

    @contextmanager
    def _memory_explained(self, number: int) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
                raise OutOfMemory(
                    f"Memory ran out while painting {counted(number, 'picture')} of "
                    f"{self.size} × {self.size} at once: give a smaller --batch-size"
                    + (f" than {number}" if number > 1 else " or --size")
                ) from error
            raise


def _overflow(dtype: torch.dtype, prompts: Sequence[Prompt]) -> str:
    """What to say of numbers that overflowed, which would come out as a black picture."""
    weights = sorted({str(weight) for prompt in prompts for weight in prompt.weights})
    smaller = f", or smaller weights than {', '.join(weights)}" if weights else ""
    name = str(dtype).removeprefix("torch.")
    return f"The numbers overflow {name} while painting: try --dtype float32{smaller}"
