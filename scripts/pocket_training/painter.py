"""The painter: a UNet that removes noise from latents, and the text encoder that guides it."""

from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import (
    AutoencoderTiny,
    DPMSolverMultistepScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from PIL import Image
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from monetize.painting.attention.token_weights import TokenWeights
from pocket_training.data import sheet, to_bytes
from pocket_training.latents import Source
from pocket_training.loop import Plan, autocast, fit
from pocket_training.weight_lessons import WeightLessons

WIDTH = 192  # of a word
CHANNELS = (64, 128, 160)
# One in ten prompts is empty, so that guidance has an unconditional prediction to depart from.
UNPROMPTED = 0.1
LEAST_WEIGHT = 0.3  # of the noisiest latents, which min-SNR would not teach at all
MIN_SNR = 5.0  # Hang et al., "Efficient Diffusion Training via Min-SNR Weighting", ICCV 2023


class Painter(nn.Module):
    """Text encoder and UNet, trained together."""

    def __init__(self, tokenizer: CLIPTokenizer, latent_channels: int) -> None:
        super().__init__()
        self.text_encoder = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=len(tokenizer),
                hidden_size=WIDTH,
                intermediate_size=2 * WIDTH,
                # No layers: a word's meaning stays at its own position, where a weight can
                # reach it, and none of it leaks into the padding.
                num_hidden_layers=0,
                num_attention_heads=6,
                max_position_embeddings=tokenizer.model_max_length,
                bos_token_id=tokenizer.bos_token_id,
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
            )
        )
        self.unet = UNet2DConditionModel(
            sample_size=16,
            in_channels=latent_channels,
            out_channels=latent_channels,
            block_out_channels=CHANNELS,
            layers_per_block=1,
            # Attention only below 16 × 16, where it would take most of the time for little gain.
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            mid_block_type=None,
            cross_attention_dim=WIDTH,
            attention_head_dim=4,
        )


def scheduler() -> DPMSolverMultistepScheduler:
    """A noise schedule that ends with noise only, and halfway has as much as Stable Diffusion's.

    What Stable Diffusion's schedule leaves of an image at its end shows how light that is (Lin et
    al., "Common Diffusion Noise Schedules and Sample Steps are Flawed", WACV 2024). A UNet that has
    learned to see it takes noise for darkness. v is predicted because, where there is only noise,
    predicting the noise teaches nothing.
    """
    return DPMSolverMultistepScheduler(
        beta_start=0.00001,
        beta_end=0.03,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        steps_offset=1,
    )


def train(
    model: Painter, sources: Sequence[Source], tokenizer: CLIPTokenizer, vae: AutoencoderTiny,
    plan: Plan, work: Path, *,
    device: torch.device, seed: int, shown: Sequence[str],
) -> Painter:  # fmt: skip
    """Train on latents and their prompts; `shown` are the sample sheet's prompts."""
    torch.manual_seed(seed)
    shares = torch.tensor([source.share for source in sources])
    prompts = [_encoded(tokenizer, source.prompts) for source in sources]
    nothing = _encoded(tokenizer, [""])[0]
    lessons = WeightLessons(tokenizer, {text for source in sources for text in source.prompts})
    token_weights = TokenWeights(model.unet)
    schedule = scheduler()
    signal = schedule.alphas_cumprod.to(device)

    def loss_of(model: Painter, generator: torch.Generator, _progress: float) -> Tensor:
        counts = torch.multinomial(shares, plan.batch_size, replacement=True, generator=generator)
        clean, tokens = [], []
        for i, source in enumerate(sources):
            count = int((counts == i).sum())
            chosen = torch.randint(len(source.latents), (count,), generator=generator)
            clean.append(source.latents[chosen])
            tokens.append(prompts[i][chosen])
        latents = torch.cat(clean).to(device).float() * vae.config.scaling_factor
        words, weights = lessons.draw(torch.cat(tokens), generator)
        unprompted = torch.rand(len(words), generator=generator) < UNPROMPTED
        words[unprompted], weights[unprompted] = nothing, 1
        noise = torch.randn(latents.shape, generator=generator).to(device)
        steps = torch.randint(len(signal), (len(latents),), generator=generator).to(device)
        share = signal[steps].view(-1, 1, 1, 1)
        noisy = share.sqrt() * latents + (1 - share).sqrt() * noise
        velocity = share.sqrt() * noise - (1 - share).sqrt() * latents
        noisy = noisy.contiguous(memory_format=torch.channels_last)
        token_weights.factors = weights.to(device)
        with autocast(device):
            hidden_states = model.text_encoder(words.to(device)).last_hidden_state
            predicted = model.unet(noisy, steps, hidden_states).sample.float()
        ratio = share / (1 - share)
        weight = (ratio.clamp_max(MIN_SNR) / (ratio + 1)).clamp_min(LEAST_WEIGHT)
        loss: Tensor = (weight * (predicted - velocity).square()).mean()
        return loss

    def draw(model: Painter) -> Image.Image:
        pipeline = assemble(model, vae, tokenizer)
        generator = [torch.Generator().manual_seed(i) for i in range(len(shown))]
        pictures = pipeline(
            list(shown), num_inference_steps=15, guidance_scale=4.0,
            generator=generator, output_type="pt",
        ).images  # fmt: skip
        pixels = to_bytes(pictures * 2 - 1).cpu()
        return sheet(torch.split(pixels, 4))

    model.to(device).unet.to(memory_format=torch.channels_last)
    return fit("painter", model, loss_of, plan, work, seed=seed, draw=draw)


def assemble(
    painter: Painter, vae: AutoencoderTiny, tokenizer: CLIPTokenizer
) -> StableDiffusionPipeline:
    """The pipeline made of these parts."""
    pipeline = StableDiffusionPipeline(
        tokenizer=tokenizer,
        text_encoder=painter.text_encoder,
        unet=painter.unet,
        vae=vae,
        scheduler=scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _encoded(tokenizer: CLIPTokenizer, prompts: Sequence[str]) -> Tensor:
    """Token ids (count, tokenizer.model_max_length), as the pipeline computes them."""
    tokens: Tensor = tokenizer(
        list(prompts), padding="max_length", truncation=True, return_tensors="pt"
    ).input_ids
    return tokens
