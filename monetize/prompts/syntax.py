"""The syntaxes in which a prompt may give weights to its words: ours is plain text and --weight."""

import re

from monetize.prompts.a1111 import NETWORK, escape_a1111, parse_a1111
from monetize.prompts.compel import escape_compel, parse_compel
from monetize.prompts.emphasis import MarkedText

PLAIN, A1111, COMPEL = "plain", "a1111", "compel"
SYNTAXES = (PLAIN, A1111, COMPEL)
PARSERS = {A1111: parse_a1111, COMPEL: parse_compel}
ESCAPES = {A1111: escape_a1111, COMPEL: escape_compel}
# What hardly occurs in a sentence that means only what it says.
SIGNS = (
    (A1111, re.compile(r"\([^()]*:\s*[+-]?[\d.]+\s*\)|\(\([^()]+\)\)")),
    (COMPEL, re.compile(r"\([^()]+\)(?:[+-]+|\d*\.\d+)|\b\w++(?:\+\+|--)(?=[\s,.]|$)")),
)

# What AUTOMATIC1111's web UI understands, and this program does not.
FOREIGN = re.compile(rf"\[[^\[\]]*:\s*[\d.]+\]|{NETWORK.pattern}")


def parse_prompt(source: str, syntax: str) -> MarkedText:
    """Return a prompt's text and the factors of its parts; raises UsageError."""
    return PARSERS[syntax](source) if syntax != PLAIN else MarkedText(source)


def escape(text: str, syntax: str) -> str:
    """Return what `parse_prompt` turns into this text, without any factor."""
    return ESCAPES[syntax](text) if syntax != PLAIN else text


def hint(text: str) -> str:
    """Say which syntax a plain prompt looks like, and what to do; empty if it does not."""
    for syntax, sign in SIGNS:
        if found := sign.search(text):
            return (
                f"{found[0]!r} looks like a weight, but is read as plain text: "
                f"--prompt-syntax {syntax} turns it into one"
            )
    if foreign := FOREIGN.search(text):
        return (
            f"{foreign[0]!r} is of AUTOMATIC1111's web UI, and is read as plain text here: take it "
            "out (--lora adds a LoRA)"
        )
    return ""
