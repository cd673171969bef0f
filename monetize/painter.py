"""Prompts + seeds → paintings, with Stable Diffusion and weighted cross-attention."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

from monetize.attention import token_weights
from monetize.checkpoints import Checkpoint
from monetize.errors import PaintingError, counted
from monetize.models import Placement, complete_settings, load_painting_pipeline
from monetize.prompt import Prompt
from monetize.settings import PaintSettings
from monetize.tokens import weigh

StepCallback = Callable[[int, int], None]


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
        pipeline, settings = self.pipeline, self.settings
        weights = self._weights(prompts)
        weighting = nullcontext() if weights is None else token_weights(pipeline.unet, weights)
        with weighting as switch:

            def after_step(
                pipe: StableDiffusionPipeline, step: int, *_: object
            ) -> dict[str, object]:
                done = step + 1
                if switch is not None:
                    fraction = done / pipe.num_timesteps
                    switch.on = settings.weight_start <= fraction < settings.weight_end
                if on_step is not None:
                    on_step(done, pipe.num_timesteps)
                return {}

            if switch is not None:
                switch.on = settings.weight_start == 0
            latents: torch.Tensor = pipeline(
                prompt=[prompt.text for prompt in prompts],
                negative_prompt=[settings.negative_prompt] * len(prompts),
                height=self.size,
                width=self.size,
                num_inference_steps=settings.num_inference_steps,
                guidance_scale=settings.guidance_scale,
                latents=self.noise(seeds).to(pipeline.unet.dtype),
                output_type="latent",
                callback_on_step_end=after_step,
            ).images
        return self._finite(latents, prompts)

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

    def _weights(self, prompts: Sequence[Prompt]) -> torch.Tensor | None:
        """The unet batch's weights, shape = (batch, text positions); None where all are 1."""
        pipeline = self.pipeline
        rows = torch.tensor([weigh(pipeline.tokenizer, prompt).values for prompt in prompts])
        if torch.all(rows == 1):
            return None
        assert self.settings.guidance_scale is not None  # complete_settings() saw to it
        if self.settings.guidance_scale > 1:
            # The pipeline puts the unconditional half of the batch first; it is not weighted.
            rows = torch.cat([torch.ones_like(rows), rows])
        return rows.to(pipeline.device, pipeline.unet.dtype)
