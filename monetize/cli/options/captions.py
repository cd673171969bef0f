"""Captions: how photos become text."""

from monetize.cli.help import option_in
from monetize.cli.options.base import all_of, shown_default
from monetize.cli.parameter_types import CHECKPOINT, TEXT
from monetize.settings import CaptionSettings

_option = option_in("Captions")

caption_options = all_of(
    _option(
        "--captioner",
        type=CHECKPOINT,
        help="Checkpoint that captions: pocket (small, bundled), vit-gpt2, or a folder in "
        "transformers layout or hub id of a ViT-GPT2, BLIP, BLIP-2, GIT or Florence-2. auto is "
        "vit-gpt2 on CUDA and pocket elsewhere.",
        **shown_default(CaptionSettings.captioner),
    ),
    _option(
        "--caption-prompt",
        type=TEXT,
        default=CaptionSettings.caption_prompt,
        help="Text that the caption continues (BLIP, GIT), a question (BLIP-2) or a task such as "
        "<DETAILED_CAPTION> (Florence-2). The other captioners take none.",
    ),
    _option(
        "--caption-batch-size",
        type=int,
        help="Number of photos captioned at once.",
        **shown_default(CaptionSettings.caption_batch_size),
    ),
    _option(
        "--num-beams",
        type=int,
        help="Number of beams in beam search.",
        **shown_default(CaptionSettings.num_beams),
    ),
    _option(
        "--max-length",
        type=int,
        help="Maximum number of tokens in a caption.",
        **shown_default(CaptionSettings.max_length),
    ),
)
