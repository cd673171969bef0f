"""`--help` in sections: each option is listed under a heading, not in one long list."""

from collections.abc import Callable
from functools import partial
from typing import Any

import click

OTHER = "Other"


class SectionedOption(click.Option):
    """An option with the heading that it is listed under."""

    def __init__(self, *args: Any, section: str = OTHER, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.section = section


class SectionedCommand(click.Command):
    """A command whose help lists options by section, in the order of its options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a definition list for each section."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record is not None:
                sections.setdefault(getattr(param, "section", OTHER), []).append(record)
        for section, records in sections.items():
            with formatter.section(section):
                formatter.write_dl(records)


def option_in(section: str) -> Callable[..., Callable[[Callable[..., None]], Callable[..., None]]]:
    """Return `click.option` for options of this section."""
    return partial(click.option, cls=SectionedOption, section=section)
