"""`monetize devices`: what this machine can paint on, and what is used by default."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from monetize.cli.help import SectionedCommand
from monetize.cli.options.output import json_option
from monetize.cli.terminal import Terminal, to_json

if TYPE_CHECKING:
    from monetize.device_report import DeviceReport


@click.command(cls=SectionedCommand)
@json_option
def devices(as_json: bool) -> None:
    """List the devices of this machine, try each, and say which are used by default.

    Each device multiplies two small matrices, because a card can be present and still not work:
    this torch may have no kernels for it. The command fails if jobs would fail on the devices that
    are used by default.

    \b
    Examples:
      monetize devices
      monetize devices --json
    """
    from dataclasses import asdict

    import torch

    from monetize.device_report import report_devices, used_by_default
    from monetize.errors import UsageError

    terminal = Terminal()
    reports = report_devices()
    used, error = list[str](), None
    try:
        used = used_by_default()
    except UsageError as caught:
        error = caught
    if as_json:
        found = [asdict(each) for each in reports]
        terminal.data(
            to_json({"torch": torch.__version__, "used_by_default": used, "devices": found})
        )
    else:
        for line in _lines(torch.__version__, torch.version.cuda, reports, used):
            terminal.result(line)
    if error is not None:
        raise error


def _lines(
    torch_version: str, cuda: str | None, reports: Sequence["DeviceReport"], used: Sequence[str]
) -> Iterator[str]:
    yield f"torch {torch_version}, {f'built for CUDA {cuda}' if cuda else 'built without CUDA'}"
    for report in reports:
        yield f"{report.device}: {_described(report)}"
        yield f"    {report.problem or _computes(report)}"
    if used:
        yield f"Used by default: {', '.join(used)}, {_models(used[0])}"


def _described(report: "DeviceReport") -> str:
    from tqdm import tqdm

    parts = [report.name]
    if report.memory is not None:
        parts.append(tqdm.format_sizeof(report.memory, "B"))
    if report.compute_capability is not None:
        parts.append(f"compute capability {report.compute_capability}")
    return ", ".join(parts)


def _computes(report: "DeviceReport") -> str:
    without = "" if report.bfloat16 else ", no bfloat16"
    return f"works: {report.dtype} by default{without}, {report.attention} attention"


def _models(device: str) -> str:
    from monetize.checkpoints.layout import CAPTIONER, PAINTER
    from monetize.checkpoints.resolve import AUTO, resolve_auto

    kind, _, _ = device.partition(":")
    names = (
        f"{each.flag} {resolve_auto(AUTO, each.flag, kind)[0]}" for each in (CAPTIONER, PAINTER)
    )
    return " ".join(names)
