"""The edits that `monetize paint` is asked for: their settings, and the edited prompts."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monetize.errors import UsageError
from monetize.settings import EditSettings, PaintSettings

if TYPE_CHECKING:
    from monetize.prompts.prompt import Prompt
    from monetize.prompts.sweep import AnySweep


def edit_settings(params: Mapping[str, Any], edit: str | None) -> EditSettings | None:
    """Return the settings of an edit, None if no option asks for one.

    Raises UsageError for settings that are out of range.
    """
    names = [field.name for field in fields(EditSettings)]
    given = {name: params[name] for name in names if params[name] not in (None, ())}
    return EditSettings(**given) if given or edit is not None else None


def edited_prompts(
    texts: list[str],
    edit: str | None,
    settings: PaintSettings,
    *,
    sweeps: "tuple[AnySweep, ...]",
    heatmap: Path | None,
) -> "list[Prompt]":
    """Return the edited prompt of each text.

    Raises UsageError for options that cannot be combined with an edit.
    """
    from monetize.prompts.prompt import Prompt, read_prompt

    if sweeps:
        raise UsageError("--sweep cannot be combined with an edit: use --weight instead")
    if heatmap is not None:
        raise UsageError(
            "--heatmap cannot be combined with an edit, which uses the attention of PROMPT: leave "
            "out one of them"
        )
    if settings.compile:
        raise UsageError("a compiled model cannot paint edits: leave out --compile")
    syntax = settings.prompt_syntax
    if edit is None:
        return [Prompt.parse(text, settings.weight, syntax) for text in texts]
    if len(texts) > 1:
        raise UsageError(f"--edit takes one prompt, not {len(texts)}")
    edit = read_prompt(edit)
    if not edit.strip():
        raise UsageError("--edit is empty")
    return [Prompt.parse(edit, settings.weight, syntax)]
