"""`monetize models`: the checkpoints with a short name, and those in the hub's cache."""

from typing import TYPE_CHECKING

import click

from monetize.cli.help import SectionedCommand
from monetize.cli.options.output import json_option
from monetize.cli.terminal import Terminal, quieten_libraries, to_json

if TYPE_CHECKING:
    from monetize.checkpoints.inventory import Found

KINDS = {"--model": "painter", "--captioner": "captioner"}


@click.command(cls=SectionedCommand)
@json_option
def models(as_json: bool) -> None:
    """List the names that --captioner and --model accept, and which are on this machine.

    Says where each is, how large, what is missing, and which one auto chooses here. Both options
    also accept any hub id (OWNER/NAME, OWNER/NAME@REVISION), those in the hub's cache being listed,
    and any local folder in the same layout; --model also accepts a single .safetensors or .ckpt
    file of Stable Diffusion v1.

    \b
    Examples:
      monetize models
      monetize models --json
    """
    terminal = Terminal()
    quieten_libraries(terminal)
    from monetize.checkpoints.inventory import list_checkpoints

    found = list_checkpoints()
    chosen = _chosen_by_auto()
    if as_json:
        terminal.data(to_json([_row(each, chosen) for each in found]))
        return
    for each in found:
        terminal.result(f"{each.layout.flag} {each.name}: {_where(each)}")
        if why := _why(each, chosen):
            terminal.result(f"    auto chooses it: {why}")
        terminal.result(f"    {each.about}")
        if place := each.folder or each.repo_id:
            terminal.result(f"    {place}")


def _chosen_by_auto() -> dict[str, tuple[str, str]]:
    """By flag, the name that auto stands for on this machine, and why."""
    from monetize.checkpoints.resolve import AUTO, resolve_auto
    from monetize.devices import place
    from monetize.settings import DeviceSettings

    device = place(DeviceSettings()).device.type
    chosen = {}
    for flag in KINDS:
        name, why = resolve_auto(AUTO, flag, device)
        chosen[flag] = (name, why.removeprefix(" (auto: ").removesuffix(")"))
    return chosen


def _why(found: "Found", chosen: dict[str, tuple[str, str]]) -> str | None:
    name, why = chosen[found.layout.flag]
    return why if found.name == name else None


def _row(found: "Found", chosen: dict[str, tuple[str, str]]) -> dict[str, object]:
    return {
        "name": found.name,
        "flag": found.layout.flag,
        "kind": KINDS[found.layout.flag],
        "repository": found.repo_id or None,
        "on_this_machine": found.is_complete,
        "path": str(found.folder) if found.folder else None,
        "bytes": found.size,
        "missing": list(found.missing),
        "chosen_by_auto": _why(found, chosen),
        "about": found.about,
    }


def _where(found: "Found") -> str:
    from tqdm import tqdm

    size = tqdm.format_sizeof(found.size, "B")
    if found.is_complete:
        return f"on this machine, {size}"
    if found.folder is None:
        return "not on this machine yet"
    return f"not complete on this machine, {size}: missing {', '.join(found.missing)}"
