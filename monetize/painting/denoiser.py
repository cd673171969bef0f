"""Noise + prompts → latents: the loop of evaluations, which never waits for the device.

It does what `StableDiffusionPipeline` does, in its order, and the same numbers come out up to
rounding. Beyond it: token weights and guidance act on the steps that they are asked for,
the two halves of a guided batch share what they can, a prompt that is there twice is encoded
once, and schedulers get their timesteps on the CPU, where their tables lie, so that no step waits
for the one before it to be done.
"""

from collections.abc import Callable, Sequence

import torch
from diffusers import StableDiffusionPipeline
from torch import Tensor

from monetize.painting.attention.token_weights import TokenWeights
from monetize.painting.shared_prefix import SharedPrefix
from monetize.prompts.prompt import Prompt
from monetize.prompts.tokens import weigh
from monetize.settings import PaintSettings

StepCallback = Callable[[int, int], None]


class Denoiser:
    """A pipeline's text encoder, unet and scheduler on the device that they compute on."""

    def __init__(self, pipeline: StableDiffusionPipeline, device: torch.device) -> None:
        self.pipeline = pipeline
        self.device = device
        self._unconditional: dict[str, Tensor] = {}
        self.weighting = TokenWeights(pipeline.unet)
        self._prefix = SharedPrefix(pipeline.unet)

    def __call__(
        self,
        prompts: Sequence[Prompt],
        noise: Tensor,
        settings: PaintSettings,
        on_step: StepCallback | None = None,
    ) -> Tensor:
        """Latents of the prompts from noise of deviation 1, both (batch, channels, side, side).

        The settings are complete. on_step is told the evaluations done and their number as they
        are sent to the device.
        """
        unet, scheduler = self.pipeline.unet, self.pipeline.scheduler
        scale = settings.guidance_scale
        assert scale is not None  # complete_settings() saw to it
        scheduler.set_timesteps(settings.num_inference_steps)
        timesteps = scheduler.timesteps
        on_device = timesteps.to(self.device)
        conditional = self._encode([prompt.text for prompt in prompts])
        guided = torch.cat(
            [self._without(settings.negative_prompt).expand_as(conditional), conditional]
        )
        weights = self._weights(prompts)
        latents: Tensor = noise.to(self.device, unet.dtype) * scheduler.init_noise_sigma
        try:
            for i, timestep in enumerate(timesteps):
                done = i / len(timesteps)
                guide = scale > 1 and settings.guidance_start <= done < settings.guidance_end
                weight = settings.weight_start <= done < settings.weight_end
                self.weighting.factors = weights[guide] if weights and weight else None
                self._prefix.on = guide
                inputs = torch.cat([latents, latents]) if guide else latents
                predicted = unet(
                    scheduler.scale_model_input(inputs, timestep),
                    on_device[i],
                    encoder_hidden_states=guided if guide else conditional,
                ).sample
                if guide:
                    without, following = predicted.chunk(2)
                    predicted = without + scale * (following - without)
                latents = scheduler.step(predicted, timestep, latents).prev_sample
                if on_step is not None:
                    on_step(i + 1, len(timesteps))
        finally:
            self.weighting.factors = None
            self._prefix.on = False
        return latents

    def _encode(self, texts: Sequence[str]) -> Tensor:
        """What the unet is told, (batch, text positions, width); equal texts are encoded once."""
        different = list(dict.fromkeys(texts))
        embeddings, _ = self.pipeline.encode_prompt(
            different,
            self.device,
            num_images_per_prompt=1,
            do_classifier_free_guidance=False,
        )
        which = torch.tensor([different.index(text) for text in texts], device=embeddings.device)
        return torch.index_select(embeddings, 0, which)

    def _without(self, negative_prompt: str) -> Tensor:
        """What guidance leads away from, (1, text positions, width); encoded once."""
        if negative_prompt not in self._unconditional:
            self._unconditional[negative_prompt] = self._encode([negative_prompt])
        return self._unconditional[negative_prompt]

    def _weights(self, prompts: Sequence[Prompt]) -> tuple[Tensor, Tensor] | None:
        """Factors of an unguided and of a guided batch; None where all are 1."""
        rows = torch.tensor([weigh(self.pipeline.tokenizer, prompt).values for prompt in prompts])
        if torch.all(rows == 1):
            return None
        # The unconditional half of the batch comes first; it is not weighted.
        both = torch.cat([torch.ones_like(rows), rows]).unsqueeze(-1)
        both = both.to(self.device, self.pipeline.unet.dtype)
        return both[len(rows) :], both
