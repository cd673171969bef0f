"""Which words of two prompts correspond, so that an edited prompt can act as its base does."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

Share = tuple[int, int, float]


@dataclass(frozen=True)
class Alignment:
    """How the text positions of an edited prompt correspond to those of its base.

    A share (base position, edited position, fraction) gives the edited position this fraction of
    the attention to the base position. `added` are the edited positions of words that the base
    does not have. The attention to words that the edited prompt does not have is dropped.
    """

    shares: tuple[Share, ...]
    added: tuple[int, ...]

    def in_edited(self, positions: Collection[int]) -> tuple[int, ...]:
        """The edited positions that correspond to positions of the base."""
        return tuple(sorted({edited for base, edited, _ in self.shares if base in positions}))

    def in_base(self, positions: Collection[int]) -> tuple[int, ...]:
        """The base positions that correspond to positions of the edited prompt."""
        return tuple(sorted({base for base, edited, _ in self.shares if edited in positions}))


def align(base_ids: Sequence[int], edited_ids: Sequence[int], limit: int) -> Alignment:
    """Align two prompts' tokens, with start and end, by the longest blocks that they share.

    Tokens between two shared blocks are swapped: one for one if both prompts have equally many,
    otherwise each token's attention is spread evenly. The end token and the padding up to `limit`
    correspond by their distance from the end.
    """
    shares, added = [(0, 0, 1.0)], list[int]()
    matcher = SequenceMatcher(None, base_ids[1:-1], edited_ids[1:-1], autojunk=False)
    for _, *bounds in matcher.get_opcodes():
        base_start, base_end, start, end = (1 + bound for bound in bounds)
        base, edited = range(base_start, base_end), range(start, end)
        shares += _swapped(base, edited)
        if not base:
            added += edited
    base_end, end = len(base_ids) - 1, len(edited_ids) - 1
    # Attention to padding past the last position goes to the last, so that none is lost.
    shares += [(i, min(i - base_end + end, limit - 1), 1.0) for i in range(base_end, limit)]
    return Alignment(tuple(shares), tuple(added))


def _swapped(base: range, edited: range) -> Iterator[Share]:
    if len(base) == len(edited):
        yield from ((one, other, 1.0) for one, other in zip(base, edited, strict=True))
    else:
        yield from ((one, other, 1 / len(edited)) for one in base for other in edited)
