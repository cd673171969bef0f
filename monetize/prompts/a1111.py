r"""The prompt syntax of AUTOMATIC1111's web UI.

(word) multiplies a weight by 1.1, [word] divides by it, (word:1.5) multiplies by the number,
negative ones included; \( \) \[ \] and \\ are the characters themselves. A bracket that is not
closed acts up to the end, and one that is not open is text, as there. A backslash before AND, BREAK
or <, which the web UI does not know, makes them plain text.
"""

import re

from monetize.errors import UsageError
from monetize.prompts.emphasis import MarkedText, MarkedTextBuilder, check_depth, parse_factor

STEP = 1.1
TOKEN = re.compile(
    r"\\(?P<escaped>[()\[\]\\<]|(?:AND|BREAK)\b)|(?P<open>[(\[])|:\s*(?P<number>[+-]?[\d.]+)\s*\)|(?P<close>[)\]])"
    r"|(?P<text>[^()\[\]\\:]+|[\\:])"
)
SCHEDULE = re.compile(r":\s*[\d.]+\s*$")
NETWORK = re.compile(r"<(?:lora|lyco|hypernet):[^<>]*>")
KEYWORDS = {
    "BREAK": "it begins another 75 tokens there, which are not read here",
    "AND": "it mixes several prompts there, and only one is painted here",
}
KEYWORD = re.compile(rf"\b(?:{'|'.join(KEYWORDS)})\b")
MARKUP = re.compile(rf"[()\[\]\\]|{KEYWORD.pattern}|<(?=(?:lora|lyco|hypernet):)")
UNESCAPED = r"(?<!\\)"


def parse_a1111(source: str) -> MarkedText:
    """Parse a prompt; raises UsageError for what only the web UI can do."""
    _refuse_keywords(source)
    builder = MarkedTextBuilder()
    # Of each open bracket, the place in the builder, and in the source behind it.
    opened: dict[str, list[tuple[int, int]]] = {"(": [], "[": []}
    for match in TOKEN.finditer(source):
        bracket, number, close = match["open"], match["number"], match["close"]
        if bracket:
            opened[bracket].append((builder.place, match.end()))
            check_depth(len(opened[bracket]))
        elif number and opened["("]:
            builder.multiply(opened["("].pop()[0], parse_factor(number))
        elif close == ")" and opened["("]:
            builder.multiply(opened["("].pop()[0], STEP)
        elif close == "]" and opened["["]:
            place, begin = opened["["].pop()
            _refuse_schedule(source[begin : match.start()])
            builder.multiply(place, 1 / STEP)
        else:
            builder.add(match["escaped"] or match[0])
    for factor, places in ((STEP, opened["("]), (1 / STEP, opened["["])):
        for place, _ in places:
            builder.multiply(place, factor)
    return builder.build()


def escape_a1111(text: str) -> str:
    """Return text whose characters all stand for themselves."""
    return MARKUP.sub(r"\\\g<0>", text)


def _refuse_keywords(source: str) -> None:
    if network := re.search(UNESCAPED + NETWORK.pattern, source):
        raise UsageError(
            f"{network[0]} in the prompt names a file that only the web UI knows: take it out, and "
            "give a LoRA's file with --lora"
        )
    if keyword := re.search(UNESCAPED + KEYWORD.pattern, source):
        raise UsageError(
            f"{keyword[0]} in the prompt is not supported: {KEYWORDS[keyword[0]]}; take it out"
        )


def _refuse_schedule(inside: str) -> None:
    """Raise UsageError if square brackets hold prompts that change from step to step."""
    if "|" in inside or SCHEDULE.search(inside):
        raise UsageError(
            f"[{inside}] in the prompt is not supported: the prompt is the same at all steps; "
            "choose one of its texts"
        )
