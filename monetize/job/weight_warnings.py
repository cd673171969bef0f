"""The weights of a job, held against its prompts: mistakes and words without effect, told once."""

from collections import Counter
from collections.abc import Sequence

from transformers import CLIPTokenizer

from monetize.job.job import Item
from monetize.messages import counted
from monetize.progress import Reporter
from monetize.prompts.prompt import Prompt
from monetize.prompts.tokens import weigh
from monetize.prompts.weights import Weight


def check_weights(tokenizer: CLIPTokenizer, weights: Sequence[Weight], style: str) -> None:
    """Find mistakes that every prompt would show, before anything is captioned.

    Raises UsageError for positions that there are not, and where two weights fall on one token of
    the style phrase or of each other's phrases.
    """
    words = tuple(weight for weight in weights if weight.position is None)
    positions = tuple(weight for weight in weights if weight not in words)
    weigh(tokenizer, Prompt("", positions))
    for text in (style, *(weight.phrase for weight in words)):
        weigh(tokenizer, Prompt(text, words))


def warn_of_weights(
    tokenizer: CLIPTokenizer, weights: Sequence[Weight], items: Sequence[Item], reporter: Reporter
) -> None:
    """Say once which weights never act, and what the text encoder's limit cuts off.

    Raises UsageError where two weights fall on one token.
    """
    acting, cut, partly_cut = Counter[Weight](), Counter[Weight](), Counter[Weight]()
    too_long = 0
    for item in items:
        weighted = weigh(tokenizer, item.prompt)
        acting.update(set(item.prompt.weights) - set(weighted.missing))
        cut.update(weighted.cut)
        partly_cut.update(weighted.partly_cut)
        too_long += bool(weighted.beyond)
    of_all = f"of {counted(len(items), 'prompt')}"
    limit = tokenizer.model_max_length
    if too_long:
        reporter.warn(
            f"{too_long} {of_all}: longer than the {limit} tokens that the painter sees; "
            "what is past them has no effect"
        )
    for weight in weights:
        if weight not in acting:
            reporter.warn(f"--weight {str(weight)!r}: no prompt has {weight.phrase!r}")
        for count, effect in (
            (cut[weight], "no effect"),
            (partly_cut[weight], "only a part of its effect"),
        ):
            if count:
                reporter.warn(
                    f"{count} {of_all}: --weight {str(weight)!r} has {effect}, as "
                    f"{weight.phrase!r} is past token {limit}"
                )
