"""`monetize tokens`: how a prompt is split into tokens, and the weight of each."""

from typing import Any

import click

from monetize.cli.help import SectionedCommand
from monetize.cli.options.base import build
from monetize.cli.options.common import common_options
from monetize.cli.options.device import offline_option
from monetize.cli.options.output import json_option
from monetize.cli.options.painting import embedding_option, model_option
from monetize.cli.options.weights import syntax_option, weight_option
from monetize.cli.terminal import Terminal, quieten_libraries, to_json
from monetize.prompts.prompt import Prompt, read_prompt
from monetize.prompts.syntax import PLAIN, hint
from monetize.settings import DeviceSettings, PaintSettings


@click.command(cls=SectionedCommand)
@click.argument("prompt")
@model_option
@embedding_option
@weight_option
@syntax_option
@offline_option
@json_option
@common_options("paint")
def tokens(
    prompt: str, offline: bool, as_json: bool, quiet: bool, verbose: bool, **params: Any
) -> None:
    """List the tokens of PROMPT: position, text, weight.

    Positions are what `--weight @6=-1` refers to. Painters of the Stable Diffusion v1 family see
    77 tokens, pocket sees 32; any further ones are marked as cut. Only the tokenizer is loaded.

    \b
    Examples:
      monetize tokens "a fantasy landscape with a pine forest"
      monetize tokens "a lake, monet-style" --embedding monet-style.pt
      monetize tokens "a pine tree and a red sun" --weight "red sun=2" --json
    """
    from dataclasses import asdict, replace

    terminal = Terminal(quiet=quiet, verbose=verbose)
    settings = build(PaintSettings, params)
    parsed = Prompt.parse(read_prompt(prompt), settings.weight, settings.prompt_syntax)
    if settings.prompt_syntax == PLAIN and (looks := hint(prompt)):
        terminal.say(looks)
    quieten_libraries(terminal)
    from monetize.checkpoints.layout import PAINTER_TOKENIZER
    from monetize.checkpoints.resolve import AUTO, resolve, resolve_auto

    device = ""
    if settings.model == AUTO:
        from monetize.devices import place

        device = place(DeviceSettings()).device.type
    name, why = resolve_auto(settings.model, PAINTER_TOKENIZER.flag, device)
    if why:
        terminal.say(f"Tokenizer: {name}{why}")
    checkpoint = resolve(name, PAINTER_TOKENIZER, offline=offline, say=terminal.say)
    from monetize.checkpoints.embeddings import resolve_embeddings
    from monetize.checkpoints.tokenizer import load_tokenizer
    from monetize.prompts.tokens import weigh_strictly

    embeddings = resolve_embeddings(settings.embedding)
    tokenizer = load_tokenizer(replace(checkpoint, embeddings=embeddings))
    weighted = weigh_strictly(tokenizer, parsed)
    if as_json:
        terminal.data(to_json([asdict(token) for token in weighted.tokens]))
        return
    width = max(len(token.text) for token in weighted.tokens)
    terminal.result(f"position  {'token':{width}}  weight")
    for token in weighted.tokens:
        value = "cut" if token.cut else f"{token.weight:g}"
        position = "-" if token.cut else f"@{token.position}"
        terminal.result(f"{position:>8}  {token.text:{width}}  {value:>6}")
    for warning in weighted.warnings():
        terminal.warn(warning)
