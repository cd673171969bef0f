"""Requests → denoised latents: the loop of UNet evaluations, which never waits for the device.

It does what `StableDiffusionPipeline` does, in the same order, and gives the same numbers up to
rounding. In addition, token weights and guidance act only in the requested steps, the two
halves of a guided batch share what they can, equal prompts are encoded once, and schedulers get
their timesteps on the CPU, where their tables are, so that no step waits for the one before it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from diffusers import StableDiffusionPipeline
from torch import Tensor

from monetize.devices import send
from monetize.painting.attention.injection import AttentionInjection
from monetize.painting.attention.token_weights import TokenWeights
from monetize.painting.latents import SeededNoise
from monetize.painting.request import PaintRequest
from monetize.painting.shared_prefix import SharedPrefix
from monetize.painting.step_noise import own_step_noise
from monetize.painting.timesteps import set_timesteps, step_options
from monetize.prompts.prompt import Prompt
from monetize.prompts.syntax import parse_prompt
from monetize.prompts.tokens import weigh
from monetize.settings import PaintSettings

StepCallback = Callable[[int, int], None]
"""Called with the number of evaluations sent to the device so far, and their total."""


class Denoiser:
    """A pipeline's text encoder, UNet and scheduler on the device that they compute on."""

    def __init__(self, pipeline: StableDiffusionPipeline, device: torch.device) -> None:
        self.pipeline = pipeline
        self.device = device
        self.weighting = TokenWeights(pipeline.unet)
        self._shared_prefix = SharedPrefix(pipeline.unet)
        self._negative_prompt_embeds: dict[str, Tensor] = {}

    def __call__(
        self,
        requests: Sequence[PaintRequest],
        noise: Tensor,
        settings: PaintSettings,
        on_step: StepCallback | None = None,
        init_latents: Tensor | None = None,
        seeded: SeededNoise | None = None,
    ) -> Tensor:
        """Denoise standard normal noise, (batch, channels, height, width), into latents.

        The settings are complete. With a `strength` they start from `init_latents`, of the same
        shape, to which the noise is added. `seeded` drew the noise, and goes on for the steps of
        stochastic schedulers; None starts again from the requests' seeds.
        """
        unet, scheduler = self.pipeline.unet, self.pipeline.scheduler
        guidance_scale = settings.guidance_scale
        assert guidance_scale is not None  # the settings are complete
        embeds_guidance = unet.config.time_cond_proj_dim is not None
        timesteps = set_timesteps(scheduler, settings)
        timesteps_on_device = send(timesteps, self.device)
        prompt_embeds = self._encode([request.input_ids for request in requests])
        negative = parse_prompt(settings.negative_prompt, settings.prompt_syntax).text
        negative_prompt_embeds = self._encode_negative(negative)
        both_embeds = torch.cat([negative_prompt_embeds.expand_as(prompt_embeds), prompt_embeds])
        weights = self._weights(requests)
        latents: Tensor = send(noise.to(unet.dtype), self.device)
        if init_latents is None:
            latents = latents * scheduler.init_noise_sigma
        else:
            first = timesteps[:1].expand(len(latents))
            latents = scheduler.add_noise(init_latents.to(latents), latents, first)
        size = (latents.shape[2], latents.shape[3])
        injection = AttentionInjection(unet, requests, size, self.device)
        timestep_cond = self._guidance_embedding(guidance_scale) if embeds_guidance else None
        seeded = seeded or SeededNoise([request.seed for request in requests])
        step_noise = own_step_noise(scheduler, seeded, self.device)
        with self._plain_afterwards(), injection, step_noise:
            for i, timestep in enumerate(timesteps):
                done = i / len(timesteps)
                do_classifier_free_guidance = (
                    guidance_scale > 1
                    and not embeds_guidance
                    and settings.guidance_start <= done < settings.guidance_end
                )
                weighted = settings.weight_start <= done < settings.weight_end
                self.weighting.factors = (
                    weights[do_classifier_free_guidance] if weights and weighted else None
                )
                injection.begin_step(done, guided=do_classifier_free_guidance)
                self._shared_prefix.on = do_classifier_free_guidance and not injection.keeps_layout
                latent_model_input = (
                    torch.cat([latents, latents]) if do_classifier_free_guidance else latents
                )
                noise_pred = unet(
                    scheduler.scale_model_input(latent_model_input, timestep),
                    timesteps_on_device[i],
                    timestep_cond=timestep_cond,
                    encoder_hidden_states=(
                        both_embeds if do_classifier_free_guidance else prompt_embeds
                    ),
                ).sample
                if do_classifier_free_guidance:
                    noise_pred_uncond, noise_pred_text = noise_pred.chunk(2)
                    noise_pred = noise_pred_uncond + guidance_scale * (
                        noise_pred_text - noise_pred_uncond
                    )
                options = step_options(scheduler, i)
                latents = scheduler.step(noise_pred, timestep, latents, **options).prev_sample
                latents = latents.to(unet.dtype)  # on MPS a step gives float32 for float16
                latents = injection.blend(latents)
                if on_step is not None:
                    on_step(i + 1, len(timesteps))
        return latents

    @contextmanager
    def _plain_afterwards(self) -> Iterator[None]:
        """Leave the UNet as it is without weights and guidance."""
        try:
            yield
        finally:
            self.weighting.factors = None
            self._shared_prefix.on = False

    def _guidance_embedding(self, guidance_scale: float) -> Tensor:
        """What a distilled UNet takes in place of a second evaluation: (1, features).

        It was distilled with guidance counted from 0, not from 1.
        """
        embedding = self.pipeline.get_guidance_scale_embedding(
            torch.tensor([guidance_scale - 1]),
            embedding_dim=self.pipeline.unet.config.time_cond_proj_dim,
        )
        return send(embedding.to(self.pipeline.unet.dtype), self.device)

    def _encode(self, input_ids: Sequence[tuple[int, ...]]) -> Tensor:
        """Text encoder states, (batch, text positions, width); equal prompts are encoded once."""
        distinct = list(dict.fromkeys(input_ids))
        tokenizer, text_encoder = self.pipeline.tokenizer, self.pipeline.text_encoder
        limit = tokenizer.model_max_length
        padded = [[*ids, *[tokenizer.pad_token_id] * (limit - len(ids))] for ids in distinct]
        attention_mask = None
        if getattr(text_encoder.config, "use_attention_mask", False):
            mask = [[1] * len(ids) + [0] * (limit - len(ids)) for ids in distinct]
            attention_mask = send(torch.tensor(mask), self.device)
        prompt_embeds = text_encoder(
            send(torch.tensor(padded), self.device), attention_mask=attention_mask
        )[0]
        indices = torch.tensor([distinct.index(ids) for ids in input_ids])
        return torch.index_select(prompt_embeds, 0, send(indices, self.device))

    def _encode_negative(self, negative_prompt: str) -> Tensor:
        """Text encoder states of the negative prompt, (1, text positions, width); kept."""
        if negative_prompt not in self._negative_prompt_embeds:
            weighted = weigh(self.pipeline.tokenizer, Prompt(negative_prompt))
            self._negative_prompt_embeds[negative_prompt] = self._encode([weighted.input_ids])
        return self._negative_prompt_embeds[negative_prompt]

    def _weights(self, requests: Sequence[PaintRequest]) -> tuple[Tensor, Tensor] | None:
        """Factors of an unguided and of a guided batch; None where all are 1."""
        if all(request.token_weights is None for request in requests):
            return None
        ones = (1.0,) * self.pipeline.tokenizer.model_max_length
        rows = torch.tensor([request.token_weights or ones for request in requests])
        # The unconditional half of the batch comes first; it is not weighted.
        both = torch.cat([torch.ones_like(rows), rows]).unsqueeze(-1)
        both = send(both.to(self.pipeline.unet.dtype), self.device)
        return both[len(rows) :], both
