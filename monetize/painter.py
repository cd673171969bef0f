"""Prompts + seeds → paintings, with Stable Diffusion and weighted cross-attention."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

from monetize.checkpoints import Checkpoint
from monetize.denoising import Denoiser, StepCallback
from monetize.errors import PaintingError, counted
from monetize.models import Placement, complete_settings, load_painting_pipeline
from monetize.prompt import Prompt
from monetize.settings import PaintSettings


@dataclass(frozen=True)
class Painting:
    """A finished picture; `flagged` ones were blacked out by the safety checker."""

    image: Image.Image
    flagged: bool = False


class Painter:
    """A Stable Diffusion pipeline with the complete settings that it is used with."""

    def __init__(self, pipeline: StableDiffusionPipeline, settings: PaintSettings) -> None:
        self.pipeline = pipeline
        self.settings = settings
        self.size = settings.size or pipeline.unet.config.sample_size * pipeline.vae_scale_factor
        self._denoiser = Denoiser(pipeline, settings)

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
        return cls(pipeline, settings)

    def paint(
        self, prompts: Sequence[Prompt], seeds: Sequence[int], on_step: StepCallback | None = None
    ) -> list[Painting]:
        """Paint one batch: a size × size picture for each prompt and seed.

        on_step is told the steps done and their number, which is that of the scheduler's
        evaluations (51 for 50 PNDM steps). Raises PaintingError if memory runs out or the numbers
        overflow.
        """
        try:
            return self.decode(self.denoise(prompts, seeds, on_step))
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
                raise PaintingError(
                    f"Memory ran out while painting {counted(len(prompts), 'picture')} of "
                    f"{self.size} × {self.size} at once: give a smaller --batch-size"
                    + (f" than {len(prompts)}" if len(prompts) > 1 else " or --size")
                ) from error
            raise

    def noise(self, seeds: Sequence[int]) -> torch.Tensor:
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
        self, prompts: Sequence[Prompt], seeds: Sequence[int], on_step: StepCallback | None = None
    ) -> torch.Tensor:
        """Run the denoising loop; returns latents shaped as those of `noise`."""
        return self._finite(self._denoiser(prompts, self.noise(seeds), on_step), prompts)

    @torch.inference_mode()
    def decode(self, latents: torch.Tensor) -> list[Painting]:
        """Turn latents into pictures, one at a time to bound the decoder's memory."""
        pipeline = self.pipeline
        paintings = []
        for latent in torch.split(latents, 1):
            decoded = pipeline.vae.decode(latent / pipeline.vae.config.scaling_factor).sample
            self._finite(decoded)
            checked, flags = pipeline.run_safety_checker(decoded, pipeline.device, latents.dtype)
            flagged = bool(flags and flags[0])
            [image] = pipeline.image_processor.postprocess(checked, do_denormalize=[not flagged])
            paintings.append(Painting(image, flagged))
        return paintings

    def _finite(self, values: torch.Tensor, prompts: Sequence[Prompt] = ()) -> torch.Tensor:
        """Refuse numbers that overflowed, which would come out as a black picture."""
        if not torch.isfinite(values).all():
            weights = sorted({str(weight) for prompt in prompts for weight in prompt.weights})
            smaller = f", or smaller weights than {', '.join(weights)}" if weights else ""
            dtype = str(values.dtype).removeprefix("torch.")
            raise PaintingError(
                f"The numbers overflow {dtype} while painting: try --dtype float32{smaller}"
            )
        return values
