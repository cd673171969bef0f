"""The part of an edited painting that may differ from its base."""

from collections.abc import Callable

import torch

from monetize.painting.attention.local_blend import LocalBlend
from monetize.painting.painter import Painter
from monetize.painting.request import Edit, PaintRequest
from monetize.prompts.edits import Alignment
from monetize.prompts.prompt import Prompt
from monetize.settings import EditSettings


def blend_of_two(painter: Painter) -> LocalBlend:
    """For a plain painting, then a base and its edit, where the word is @2 and @3."""
    base = PaintRequest(Prompt("a cat"), 1, (0, 1, 2, 3))
    edit = Edit(base, Alignment((), ()), EditSettings(only=("cat",)), (2,), (3,))
    return LocalBlend(painter.pipeline.unet, {2: edit}, 3, (16, 16), torch.device("cpu"))


def test_values_are_marked_at_the_words_of_conditional_rows(
    painter_with: Callable[..., Painter],
) -> None:
    marks = blend_of_two(painter_with()).marks(torch.empty(6, 77, 32), offset=3)
    assert marks.shape == (6, 77, 32)
    assert marks[..., 0].nonzero().tolist() == [[4, 2], [5, 3]]


def test_latents_change_next_to_where_the_word_acts_in_either_painting(
    painter_with: Callable[..., Painter],
) -> None:
    blend = blend_of_two(painter_with())
    maps = torch.full((3, 16, 16), 0.1)
    maps[1, 4, 4] = maps[2, 10, 12] = 1
    maps[2, 0, 0] = 0.29  # below the threshold
    blend.add(maps.reshape(3, 256, 1).expand(3, 256, 8) / 2)
    blend.add(maps.reshape(3, 256, 1).expand(3, 256, 8) / 2)
    latents = torch.arange(3.0)[:, None, None, None].expand(3, 4, 16, 16)
    assert torch.equal(blend(latents, done=0.1), latents), "the first steps are not limited"
    plain, base, edited = blend(latents, done=0.2)
    assert (plain.unique(), base.unique()) == (0, 1)
    near = torch.zeros(16, 16)
    near[3:6, 3:6] = near[9:12, 11:14] = 1
    assert torch.equal(edited, (1 + near).expand(4, 16, 16))
