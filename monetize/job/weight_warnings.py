"""Weights checked against the prompts of a job: mistakes, and weights without effect."""

from collections import Counter
from collections.abc import Sequence

from transformers import CLIPTokenizer

from monetize.messages import counted
from monetize.progress import Reporter
from monetize.prompts.prompt import Prompt
from monetize.prompts.tokens import WeightedPrompt, weigh
from monetize.prompts.weights import Weight


def check_weights(
    tokenizer: CLIPTokenizer, weights: Sequence[Weight], styles: Sequence[str]
) -> None:
    """Find mistakes that every prompt would show, before anything is captioned.

    Raises UsageError for out-of-range positions, and if two weights apply to one token of the
    words of a style or of each other's phrases.
    """
    words = tuple(weight for weight in weights if weight.position is None)
    positions = tuple(weight for weight in weights if weight not in words)
    weigh(tokenizer, Prompt("", positions))
    for text in (*styles, *(weight.phrase for weight in words)):
        weigh(tokenizer, Prompt(text, words))


class WeightWarnings:
    """Counts, over all prompts, which weights never act and what the encoder's limit cuts off."""

    def __init__(self, weights: Sequence[Weight], limit: int) -> None:
        """`limit` is the number of tokens that the text encoder reads."""
        self._weights = weights
        self._limit = limit
        self._prompts = 0
        self._too_long = 0
        self._applied, self._cut, self._partly_cut = (Counter[Weight]() for _ in range(3))

    def add(self, prompt: Prompt, weighted: WeightedPrompt) -> None:
        """Count a prompt."""
        self._prompts += 1
        self._too_long += bool(weighted.beyond)
        self._applied.update(set(prompt.weights) - set(weighted.missing))
        self._cut.update(weighted.cut)
        self._partly_cut.update(weighted.partly_cut)

    def tell(self, reporter: Reporter) -> None:
        """Warn once about each kind."""
        of_all = f"of {counted(self._prompts, 'prompt')}"
        if self._too_long:
            verb = "is" if self._too_long == 1 else "are"
            reporter.warn(
                f"{self._too_long} {of_all} {verb} longer than the {self._limit} tokens that the "
                "painter reads; the rest has no effect"
            )
        for weight in self._weights:
            if weight not in self._applied:
                reporter.warn(f"--weight {str(weight)!r}: no prompt contains {weight.phrase!r}")
            for count, effect in (
                (self._cut[weight], "no effect"),
                (self._partly_cut[weight], "only part of its effect"),
            ):
                if count:
                    reporter.warn(
                        f"--weight {str(weight)!r} has {effect} in {count} {of_all}, where "
                        f"{weight.phrase!r} is past token {self._limit}"
                    )
