"""Cluster: how a job is done by more machines than this one."""

import click

from monetize.cli.help import option_in
from monetize.cli.options.base import all_of, shown_default
from monetize.cli.parameter_types import TEXT
from monetize.settings import EXECUTORS, ExecutorSettings

_option = option_in("Cluster")

cluster_options = all_of(
    _option(
        "--join",
        is_flag=True,
        help="Share the job with other machines that run the same command and see the same "
        "folders: each takes what no other does, and the last one packs. Does not work with "
        "--gallery, --update, --overwrite, --time-budget or --executor ray.",
    ),
    _option(
        "--executor",
        type=click.Choice(EXECUTORS),
        help="Which machines caption and paint: local is this one, ray the nodes of a Ray cluster "
        "(pip install ray). No disk has to be shared.",
        **shown_default(ExecutorSettings.executor),
    ),
    _option(
        "--ray-address",
        type=TEXT,
        help="HOST:PORT of the cluster's head, or local for a new one on this machine.  [default: "
        "RAY_ADDRESS, else the cluster that this machine is in, else local]",
    ),
    _option(
        "--gpus-per-painter",
        type=float,
        help="GPUs of each painter; 0.5 has two share one.",
        **shown_default(ExecutorSettings.gpus_per_painter),
    ),
    _option(
        "--cpus-per-painter",
        type=int,
        help="CPUs of each painter where there are no GPUs.  [default: as many as torch uses here]",
    ),
    _option(
        "--ship-checkpoint",
        is_flag=True,
        help="Send the checkpoints' files to the nodes, once. Without it, nodes load a hub id "
        "from their own cache or the hub, and a folder has to be visible on all of them.",
    ),
)
