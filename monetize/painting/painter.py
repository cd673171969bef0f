"""Prompts and seeds → paintings, with Stable Diffusion and weighted cross-attention."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import StableDiffusionPipeline
from torch import Tensor

from monetize.adapters import parse_embedding, parse_lora
from monetize.checkpoints.loading import load_painting_pipeline
from monetize.checkpoints.quiet import quiet_libraries
from monetize.devices import free_memory, ran_out_of_memory
from monetize.errors import OutOfMemory, UsageError
from monetize.image_sizes import FIT, NativeSize, Pixels, pixels_of, shown
from monetize.messages import counted
from monetize.painting.attention.recorder import AttentionRecorder
from monetize.painting.compilation import keep_kernels
from monetize.painting.denoiser import Denoiser, StepCallback
from monetize.painting.init_images import check_start, open_init_images, photo_size
from monetize.painting.latents import PendingImages, SeededNoise, decode, encode_images
from monetize.painting.painting import Painting, PendingPaintings
from monetize.painting.request import PaintRequest
from monetize.painting.spec import PainterSpec
from monetize.progress import Reporter
from monetize.prompts.prompt import Prompt
from monetize.prompts.tokens import weigh_strictly
from monetize.prompts.weights import parse_weight
from monetize.settings import DeviceSettings, PaintSettings
from monetize.stores.remote_path import AnyPath, any_path


class Painter:
    """A Stable Diffusion pipeline with complete settings."""

    def __init__(
        self,
        pipeline: StableDiffusionPipeline,
        settings: PaintSettings,
        device: torch.device | None = None,
    ) -> None:
        self.pipeline = pipeline
        self.settings = settings
        self.device = device or pipeline.device
        self.offloads = False
        self.compiled = False
        self._denoiser = Denoiser(pipeline, self.device)
        self._denoise: Callable[..., Tensor] = self._denoiser

    @classmethod
    def from_pretrained(
        cls,
        model: str = PaintSettings.model,
        *,
        device: str = DeviceSettings.device,
        dtype: str = DeviceSettings.dtype,
        offline: bool = DeviceSettings.offline,
        lora: str | Sequence[str] = (),
        embedding: str | Sequence[str] = (),
        **settings: object,
    ) -> "Painter":
        """Load a painter by name, folder, file or hub id, as `--model` takes it.

        `lora` and `embedding` are one or more texts as `--lora` and `--embedding` take them,
        `settings` further fields of `PaintSettings`, such as `num_inference_steps=20`. Raises
        CheckpointError and UsageError.
        """
        paint_settings = PaintSettings(
            model=model,
            lora=tuple(map(parse_lora, _each(lora))),
            embedding=tuple(map(parse_embedding, _each(embedding))),
            **settings,  # type: ignore[arg-type]
        )
        device_settings = DeviceSettings(device, dtype, offline)
        with quiet_libraries():
            return cls.load(PainterSpec.resolve(paint_settings, device_settings, Reporter()))

    @classmethod
    def load(cls, spec: PainterSpec) -> "Painter":
        """Load a painter; raises CheckpointError if the checkpoint's files are unusable."""
        device = spec.placement.device
        pipeline = load_painting_pipeline(
            spec.checkpoint,
            spec.placement,
            scheduler=spec.settings.scheduler,
            safety_checker=spec.settings.safety_checker,
        )
        painter = cls(pipeline, spec.settings, device)
        if not _moved(pipeline, device):
            free_memory()
            painter.offload()
        if device.type == "cuda":
            painter.use_channels_last()
        return painter

    def use_channels_last(self) -> None:
        """Use the memory layout that half-precision CUDA convolutions want; no gain elsewhere."""
        self.pipeline.unet.to(memory_format=torch.channels_last)
        self.pipeline.vae.to(memory_format=torch.channels_last)

    def offload(self) -> None:
        """Keep the parts of the model in main memory, and only the active one on the device.

        For cards that cannot hold them all; each batch then moves 2 GB back and forth.
        """
        self.pipeline.enable_model_cpu_offload(device=self.device)
        self.offloads = True

    def compile(self, backend: str | Callable[..., Any] = "inductor") -> None:
        """Compile the UNet for each batch size and kind of step, when it is first painted.

        Each takes a minute or more the first time, seconds the next. The decoder is 3% of the work
        of 50 steps and is not compiled.
        """
        if backend == "inductor":
            keep_kernels()
        self.pipeline.unet.compile(backend=backend, dynamic=False)
        self.compiled = True

    def uncompile(self) -> None:
        """Continue with the UNet as it was before `compile`."""
        self.compiled = False
        # torch cannot undo a compilation; it can only be told to ignore it.
        self._denoise = torch.compiler.set_stance("force_eager")(self._denoiser)

    def __call__(
        self,
        prompt: str,
        *,
        seed: int = 0,
        weight: str | Sequence[str] = (),
        init_image: str | AnyPath | None = None,
    ) -> Painting:
        """Paint one image; `weight` is one or more weights as `--weight` takes them.

        `init_image` is the photo that a painter with a `strength` starts from. Raises UsageError
        for a weight whose word is not in the prompt, InputError for a photo that cannot be read,
        and PaintingError.
        """
        syntax = self.settings.prompt_syntax
        weighted = Prompt.parse(prompt, map(parse_weight, _each(weight)), syntax)
        tokens = weigh_strictly(self.pipeline.tokenizer, weighted)
        photo = any_path(init_image) if init_image is not None else None
        size = self._size_for(photo)
        [painting] = self.paint([PaintRequest.of_weighted(tokens, weighted, seed, photo, size)])
        return painting

    def request(self, prompt: Prompt, seed: int, init_image: AnyPath | None = None) -> PaintRequest:
        """Tokenize a prompt for this painter; raises UsageError like `tokens.weigh`."""
        size = self._size_for(init_image)
        return PaintRequest.of(self.pipeline.tokenizer, prompt, seed, init_image, size)

    def paint(
        self,
        requests: Sequence[PaintRequest],
        settings: PaintSettings | None = None,
        on_step: StepCallback | None = None,
    ) -> list[Painting]:
        """Paint one batch: an image for each request, all of one size.

        `on_step` receives the evaluations done and their total (51 for 50 PNDM steps). `settings`,
        complete ones of the same size, replace the painter's own for this batch. Raises
        OutOfMemory, and PaintingError if the numbers overflow.
        """
        return self.start(requests, settings, on_step).result()

    def start(
        self,
        requests: Sequence[PaintRequest],
        settings: PaintSettings | None = None,
        on_step: StepCallback | None = None,
        *,
        heat: bool = False,
    ) -> PendingPaintings:
        """Send one batch to the device, like `paint`, without waiting for its images.

        With `heat`, record where each text position acts; the images stay bit-identical.
        Raises UsageError for `heat` with a compiled model, and for edits with either.
        """
        if heat and self.compiled:
            raise UsageError("a compiled model cannot record heat maps: leave out --compile")
        if any(request.edit for request in requests):
            self._check_edits(heat=heat)
        with self._memory_explained(requests):
            maps = None
            if heat:
                with AttentionRecorder(
                    self.pipeline.unet,
                    self._denoiser.weighting,
                    len(requests),
                    self._latents_shape(requests)[1:],
                ) as recorder:
                    latents = self.denoise(requests, settings, on_step)
                maps = recorder.maps()
            else:
                latents = self.denoise(requests, settings, on_step)
            images = self.decode(latents)
        return PendingPaintings(images, requests, settings or self.settings, self.pipeline, maps)

    @torch.inference_mode()
    def denoise(
        self,
        requests: Sequence[PaintRequest],
        settings: PaintSettings | None = None,
        on_step: StepCallback | None = None,
    ) -> Tensor:
        """Run the denoising loop; returns latents, (batch, channels, height, width).

        Settings with a strength start from the requests' photos, others from noise.
        """
        settings = settings or self.settings
        check_start(requests, settings.strength)
        seeded = SeededNoise([request.seed for request in requests])
        if settings.strength is None:
            noise = seeded.draw(self._latents_shape(requests))
            return self._denoise(requests, noise, settings, on_step, seeded=seeded)
        images = open_init_images(requests, self._size(requests), settings.fit)
        init_latents, noise = encode_images(self.pipeline, images, seeded, self.device)
        return self._denoise(requests, noise, settings, on_step, init_latents, seeded)

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> PendingImages:
        """Turn latents into images, without waiting for them."""
        return decode(self.pipeline, latents, self.device)

    def _check_edits(self, *, heat: bool) -> None:
        if heat:
            raise UsageError("an edit has no heat maps, because it uses the attention of its base")
        if self.compiled:
            raise UsageError("a compiled model cannot paint edits: leave out --compile")

    def _size_for(self, photo: AnyPath | None) -> Pixels | None:
        """The size to paint at; None for a painting from noise by a painter that fits photos."""
        assert self.settings.size is not None  # the settings are complete
        if self.settings.size != FIT:
            return pixels_of(self.settings.size)
        return None if photo is None else self._native_size.fitted(photo_size(photo))

    @property
    def _native_size(self) -> NativeSize:
        factor = self.pipeline.vae_scale_factor
        return NativeSize(self.pipeline.unet.config.sample_size * factor, math.lcm(8, factor))

    def _size(self, requests: Sequence[PaintRequest]) -> Pixels:
        side = self._native_size.side
        [size] = {request.size or (side, side) for request in requests}
        return size

    def _latents_shape(self, requests: Sequence[PaintRequest]) -> tuple[int, int, int]:
        width, height = (side // self.pipeline.vae_scale_factor for side in self._size(requests))
        return self.pipeline.unet.config.in_channels, height, width

    @contextmanager
    def _memory_explained(self, requests: Sequence[PaintRequest]) -> Iterator[None]:
        try:
            yield
        except (RuntimeError, MemoryError) as error:
            if ran_out_of_memory(error):
                count, size = len(requests), shown(self._size(requests))
                raise OutOfMemory(
                    f"Out of memory while painting {counted(count, 'image')} of {size} "
                    "at once: give a smaller --batch-size"
                    + (f" than {count}" if count > 1 else " or --size")
                ) from error
            raise


def _each(texts: str | Sequence[str]) -> Sequence[str]:
    return [texts] if isinstance(texts, str) else texts


def _moved(pipeline: StableDiffusionPipeline, device: torch.device) -> bool:
    """Move the pipeline to the device; returns False if the memory ran out."""
    try:
        pipeline.to(device)
    except RuntimeError as error:
        if not ran_out_of_memory(error):
            raise
        return False
    return True
