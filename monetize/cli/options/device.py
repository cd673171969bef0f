"""Device: where models run, and whether they may be downloaded."""

import click

from monetize.cli.help import option_in
from monetize.cli.options.base import all_of, shown_default
from monetize.cli.parameter_types import TEXT
from monetize.settings import DTYPES, DeviceSettings

_option = option_in("Device")


device_option = _option(
    "--device",
    type=TEXT,
    help="auto (CUDA if available, otherwise the CPU), cpu, cuda, cuda:1 or mps.",
    **shown_default(DeviceSettings.device),
)

offline_option = _option(
    "--offline",
    is_flag=True,
    help="Never use the network; load checkpoints from this machine only.",
)

device_options = all_of(
    device_option,
    _option(
        "--dtype",
        type=click.Choice(DTYPES),
        help="Precision; auto is float16 on CUDA and float32 elsewhere.",
        **shown_default(DeviceSettings.dtype),
    ),
    offline_option,
)
