r"""The weights of compel, as InvokeAI and diffusers' documentation use them.

Each + behind a word, (parentheses) or "quotes" multiplies a weight by 1.1, each - by 0.9, and a
number behind parentheses or quotes by that number; parentheses without any only group. \( \) \" \+
and \- are the characters themselves.
"""

import re

from monetize.errors import UsageError
from monetize.prompts.emphasis import MarkedText, MarkedTextBuilder, check_depth, parse_factor

MORE, LESS = 1.1, 0.9
END = r'(?=[\s()",.=;:!?]|$)'
WEIGHT = r"\++(?![\d.])|-+(?![\d.])|[+-]?(?:\d+(?:\.\d+)?|\.\d+)"
TOKEN = re.compile(
    r"\\(?P<escaped>[()\"+\-.,=\\])"
    r"|(?P<open>\()"
    rf"|(?P<close>\))(?P<group_weight>{WEIGHT})?"
    rf'|"(?P<quoted>[^"\\]+)"(?P<quote_weight>{WEIGHT})'
    rf'|(?P<word>[^\s()\\",.=+-](?:[^\s()\\",.=]*[^\s()\\",.=+-])?)(?P<signs>\++|-+){END}'
    r'|(?P<text>[^\s()\\",.=]+|.)',
    re.DOTALL,
)
OPERATOR = re.compile(r"\.(?:swap|blend|and|add|attend)\(|\b(?:withLora|useLora)\(")
MARKUP = re.compile(rf'[()\\"]|(?<![+-])[+-]++{END}')


def parse_compel(source: str) -> MarkedText:
    """Parse a prompt; raises UsageError for compel's operators, such as .blend()."""
    if operator := OPERATOR.search(source):
        hint = "--edit paints a changed prompt" if "swap" in operator[0] else "take it out"
        raise UsageError(f"{operator[0]} … ) in the prompt is not supported: {hint}")
    builder = MarkedTextBuilder()
    opened: list[int] = []
    for match in TOKEN.finditer(source):
        if match["open"]:
            opened.append(builder.place)
            check_depth(len(opened))
            builder.add("(")
        elif match["close"] and opened:
            place = opened.pop()
            builder.replace(place, "")
            builder.multiply(place, _factor(match["group_weight"]))
        elif match["quoted"]:
            builder.add(match["quoted"], _factor(match["quote_weight"]))
        elif match["word"]:
            builder.add(match["word"], _factor(match["signs"]))
        else:
            builder.add(match["escaped"] or match[0])
    return builder.build()


def escape_compel(text: str) -> str:
    """Return text whose characters all stand for themselves."""
    return MARKUP.sub(lambda match: "".join(f"\\{char}" for char in match[0]), text)


def _factor(weight: str | None) -> float:
    if not weight:
        return 1.0
    if set(weight) <= {"+", "-"}:
        step = MORE if weight[0] == "+" else LESS
        # Beyond this, it is not a finite number.
        return float(step ** min(len(weight), 1000))
    return parse_factor(weight)
