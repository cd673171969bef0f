"""Four ways to paint the same prompts with the same weights: three others, and monetize's."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from make_tiny_checkpoints import CLIP_VOCABULARY_SIZE, write_clip_tokenizer
from PIL import Image
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from monetize.devices import Placement
from monetize.painting.painter import Painter
from monetize.prompts.prompt import Prompt
from monetize.prompts.weights import Weight
from monetize.settings import PaintSettings

PROMPTS = (
    "a mountain range with a sky background",
    "a sunset over a body of water",
    "a large tree in a grassy field",
    "a boat floating on top of a lake",
)
Paint = Callable[[Sequence[str], Sequence[int]], list[Image.Image]]


@dataclass(frozen=True)
class Peer:
    """`paint` returns the pictures of prompts and seeds; `batch` is how many it paints at once.

    `pipeline` is what it paints with, on the device only during its turn.
    """

    name: str
    paint: Paint
    batch: int
    pipeline: StableDiffusionPipeline

    @contextmanager
    def on(self, device: torch.device) -> Iterator[None]:
        """Keep the pipeline on the device for a while."""
        self._move(device)
        try:
            yield
        finally:
            if device.type == "cuda":
                self._move(torch.device("cpu"))
                torch.cuda.empty_cache()

    def _move(self, device: torch.device) -> None:
        self.pipeline.to(device, silence_dtype_warnings=True)


@dataclass(frozen=True)
class Architecture:
    """The configurations of a Stable Diffusion v1, its image size and its usual steps."""

    size: int
    steps: int
    unet: dict[str, Any]
    vae: dict[str, Any]
    text: dict[str, Any]

    def build(self, placement: Placement, seed: int = 0) -> StableDiffusionPipeline:
        """Create the pipeline with random weights that depend only on the seed.

        On the meta device it has no weights, and creating it takes no time.
        """
        torch.manual_seed(seed)
        with TemporaryDirectory() as folder:
            write_clip_tokenizer(Path(folder))
            tokenizer = CLIPTokenizer.from_pretrained(folder)
        end = CLIP_VOCABULARY_SIZE - 1
        ends = {"bos_token_id": end - 1, "eos_token_id": end, "pad_token_id": 1}
        vocabulary = {"vocab_size": CLIP_VOCABULARY_SIZE, **ends}
        down, up = ("DownEncoderBlock2D",) * 4, ("UpDecoderBlock2D",) * 4
        vae = {"latent_channels": 4, "down_block_types": down, "up_block_types": up, **self.vae}
        with placement.device if placement.device.type == "meta" else nullcontext():
            text_encoder = CLIPTextModel(CLIPTextConfig(**vocabulary, **self.text))
            unet = UNet2DConditionModel(sample_size=self.size // 8, **self.unet)
            autoencoder = AutoencoderKL(sample_size=self.size, **vae)
        pipeline = StableDiffusionPipeline(
            tokenizer=tokenizer,
            text_encoder=text_encoder,
            unet=unet,
            vae=autoencoder,
            scheduler=PNDMScheduler(
                beta_start=0.00085,
                beta_end=0.012,
                beta_schedule="scaled_linear",
                skip_prk_steps=True,
                set_alpha_to_one=False,
                steps_offset=1,
            ),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipeline.set_progress_bar_config(disable=True)
        return pipeline.to(placement.device, placement.dtype, silence_dtype_warnings=True)


ARCHITECTURES = {
    # The configurations of CompVis/stable-diffusion-v1-4.
    "sd-v1-4": Architecture(
        512,
        50,
        {"cross_attention_dim": 768, "attention_head_dim": 8},
        {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2},
        {
            "hidden_size": 768,
            "intermediate_size": 3072,
            "num_hidden_layers": 12,
            "num_attention_heads": 12,
            "projection_dim": 768,
        },
    ),
    # The same parts with fewer channels and levels.
    "small": Architecture(
        256,
        10,
        {
            "block_out_channels": (64, 128),
            "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
            "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
            "layers_per_block": 1,
            "cross_attention_dim": 64,
            "attention_head_dim": 4,
        },
        {"block_out_channels": (16, 32, 32, 32), "norm_num_groups": 8},
        {
            "hidden_size": 64,
            "intermediate_size": 256,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
        },
    ),
}


def tutorial_latents(
    pipeline: StableDiffusionPipeline, settings: PaintSettings, prompt: str, seed: int
) -> Tensor:
    """One picture's latents, by the loop from the diffusers tutorials."""
    unet, scheduler, encoder = pipeline.unet, pipeline.scheduler, pipeline.text_encoder
    tokens = pipeline.tokenizer(
        ["", prompt], padding="max_length", truncation=True, max_length=77, return_tensors="pt"
    )
    text = encoder(tokens.input_ids.to(encoder.device))[0]
    side = pipeline.unet.config.sample_size
    noise = torch.randn((1, 4, side, side), generator=torch.Generator().manual_seed(seed))
    latents: Tensor = noise.to(unet.device, unet.dtype) * scheduler.init_noise_sigma
    scheduler.set_timesteps(settings.num_inference_steps, device=unet.device)
    for timestep in scheduler.timesteps:
        both = scheduler.scale_model_input(torch.cat([latents] * 2), timestep)
        unconditional, conditional = unet(both, timestep, encoder_hidden_states=text).sample.chunk(
            2
        )
        guided = unconditional + settings.guidance_scale * (conditional - unconditional)
        latents = scheduler.step(guided, timestep, latents).prev_sample
    return latents


def tutorial(pipeline: StableDiffusionPipeline, settings: PaintSettings) -> Paint:
    """Return the tutorials' way: one picture after another."""

    @torch.no_grad()
    def paint(prompts: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        images = []
        for prompt, seed in zip(prompts, seeds, strict=True):
            latents = tutorial_latents(pipeline, settings, prompt, seed)
            decoded = pipeline.vae.decode(latents / pipeline.vae.config.scaling_factor).sample
            pixels = (decoded / 2 + 0.5).clamp(0, 1)[0].permute(1, 2, 0).float().cpu().numpy()
            images.append(Image.fromarray((pixels * 255).round().astype("uint8")))
        return images

    return paint


def batched(pipeline: StableDiffusionPipeline, settings: PaintSettings) -> Paint:
    """Return diffusers' own way with several prompts at once."""

    def paint(prompts: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        images: list[Image.Image] = pipeline(
            list(prompts),
            num_inference_steps=settings.num_inference_steps,
            guidance_scale=settings.guidance_scale,
            generator=[torch.Generator().manual_seed(seed) for seed in seeds],
        ).images
        return images

    return paint


def compiled(pipeline: StableDiffusionPipeline, settings: PaintSettings) -> Paint:
    """Return diffusers' own way, as its guide to inference speed recommends."""
    pipeline.unet.to(memory_format=torch.channels_last)
    pipeline.vae.to(memory_format=torch.channels_last)
    pipeline.unet = torch.compile(pipeline.unet)
    return batched(pipeline, settings)


def ours(painter: Painter, weight: float | None = None) -> Paint:
    """Return monetize's way, with a weight on the third token of every prompt if one is given."""
    weights = () if weight is None else (Weight("@3", weight),)

    def paint(prompts: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        paired = zip(prompts, seeds, strict=True)
        requests = [painter.request(Prompt(text, weights), seed) for text, seed in paired]
        paintings = painter.paint(requests)
        return [painting.image for painting in paintings]

    return paint


def our_painter(
    architecture: Architecture, placement: Placement, settings: PaintSettings, *, compile_: bool
) -> Painter:
    """Build the painter as Painter.load does after loading."""
    painter = Painter(architecture.build(placement), settings, placement.device)
    if placement.device.type == "cuda":
        painter.use_channels_last()
    if compile_:
        painter.compile()
    return painter


@torch.no_grad()
def greatest_difference(
    architecture: Architecture, placement: Placement, settings: PaintSettings, batch: int
) -> float:
    """The greatest difference between the tutorials' latents and ours, in fp32.

    TF32, which torch allows in convolutions, is off: it alone moves latents by 3e-2 in ten steps.
    """
    exact = replace(placement, dtype=torch.float32)
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        return _greatest_difference(architecture, exact, settings, batch)


def _greatest_difference(
    architecture: Architecture, exact: Placement, settings: PaintSettings, batch: int
) -> float:
    pipeline = architecture.build(exact)
    prompts = [PROMPTS[i % len(PROMPTS)] for i in range(batch)]
    theirs = torch.cat(
        [tutorial_latents(pipeline, settings, prompt, i) for i, prompt in enumerate(prompts)]
    )
    painter = our_painter(architecture, exact, settings, compile_=False)
    mine = painter.denoise([painter.request(Prompt(text), i) for i, text in enumerate(prompts)])
    return float((mine - theirs).abs().max())
