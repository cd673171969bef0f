"""Editing: paint a changed prompt with the structure of another painting kept."""

from monetize.cli.help import option_in
from monetize.cli.options.base import all_of
from monetize.cli.parameter_types import TEXT
from monetize.settings import EditSettings

_option = option_in("Editing")

editing_options = all_of(
    _option(
        "--edit",
        metavar="PROMPT",
        help="Also paint this changed prompt, keeping the structure of PROMPT's painting "
        "(prompt-to-prompt), and write both and a sheet of the two. A pair takes as many UNet "
        "evaluations as two paintings. --weight then applies to words of this prompt. Without "
        "--edit, any option below compares PROMPT without and with its weights.",
    ),
    _option(
        "--keep-words",
        type=float,
        help="Fraction of the steps in which words act where they do in PROMPT's painting "
        f"(cross-attention).  [default: {EditSettings.keep_words}]",
    ),
    _option(
        "--keep-layout",
        type=float,
        help="Fraction of the steps in which the layout is that of PROMPT's painting "
        f"(self-attention).  [default: {EditSettings.keep_layout}]",
    ),
    _option(
        "--keep-layout-at",
        type=int,
        help="Keep the layout in layers of up to N × N image positions; a larger number also keeps "
        "finer shapes. Stable Diffusion v1 has 8, 16, 32 and 64, pocket 4 and 8.  "
        f"[default: {EditSettings.keep_layout_at}]",
    ),
    _option(
        "--only",
        type=TEXT,
        metavar="WORD",
        multiple=True,
        help="Change the painting only where this word or phrase of either prompt acts. "
        "Repeatable.",
    ),
)
