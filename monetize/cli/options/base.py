"""What the options of every section need: stacking decorators, defaults, settings from values."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from monetize.settings import own_names

S = TypeVar("S")
Command = Callable[..., None]
Decorator = Callable[[Command], Command]


def all_of(*decorators: Decorator) -> Decorator:
    """Apply decorators so that `--help` lists their options in this order."""

    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def shown_default(value: object) -> dict[str, Any]:
    """Return the arguments of `click.option` for a default that `--help` shows."""
    return {"default": value, "show_default": True}


def build(settings: type[S], params: Mapping[str, Any], **others: Any) -> S:
    """Create settings from the parameters named like their fields."""
    names = [name for name in own_names(settings) if name in params]
    return settings(**{name: params[name] for name in names}, **others)
