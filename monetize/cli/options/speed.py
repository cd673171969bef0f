"""Speed: how much is painted at once, and how long a job may take."""

from monetize.cli.help import option_in
from monetize.cli.options.base import all_of
from monetize.cli.parameter_types import DURATION, MOMENT, AutoOrNumber

_option = option_in("Speed")

batch_options = all_of(
    _option(
        "--batch-size",
        type=AutoOrNumber(),
        default="auto",
        show_default=True,
        help="Number of pictures painted at once. auto is as many as fit the memory of a CUDA "
        "device, up to 16; elsewhere 8 for a small model such as pocket, and 1 for others. It is "
        "halved when memory runs out.",
    ),
    _option(
        "--compile/--no-compile",
        default=None,
        help="Compile the model: takes minutes up front, then paints faster.  "
        "[default: on CUDA, where it saves more time than it takes]",
    ),
)

budget_options = all_of(
    _option(
        "--time-budget",
        type=DURATION,
        help="Finish within this time, such as 4h30m: measures the speed of this machine, then "
        "uses as many steps as fit, up to --num-inference-steps. Packing and the check are "
        "included, --gallery is not.",
    ),
    _option(
        "--since",
        type=MOMENT,
        help="When the time of --time-budget began, such as 2026-05-01T09:30 or 1777627800 "
        "(seconds since 1970): time spent since then, such as on installing, counts.  "
        "[default: now]",
    ),
    _option(
        "--allow-approximate",
        is_flag=True,
        help="Let --time-budget skip guidance in the first and last steps, so that more steps fit.",
    ),
)
