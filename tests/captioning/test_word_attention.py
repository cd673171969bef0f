"""Attention to patches, as maps of words."""

import pytest
import torch

from monetize.captioning.encoder_decoder import EncoderDecoderCaptioner
from monetize.captioning.word_attention import maps_of_tokens, maps_of_words
from monetize.errors import CheckpointError


def test_a_word_of_several_tokens_has_the_mean_of_their_maps(
    captioner: EncoderDecoderCaptioner,
) -> None:
    tokens = captioner.tokenizer(" a photomap").input_ids
    assert len(tokens) > 3
    maps = torch.arange(float(len(tokens)))[:, None, None].expand(-1, 2, 2)
    end = captioner.tokenizer.eos_token_id
    look = maps_of_words(captioner.tokenizer, "a photomap", [end, *tokens], maps)
    first = captioner.tokenizer(" a").input_ids
    rest = torch.arange(float(len(first)), len(tokens)).mean()
    assert [word for word, _ in look.words] == ["a", "photomap"]
    assert float(look.words[1][1][0, 0]) == float(rest)


def test_layers_and_heads_are_averaged_and_the_start_token_is_left_out() -> None:
    layers = [torch.full((1, 2, 3, 7), value) for value in (1.0, 3.0)]
    maps = maps_of_tokens(layers, (2, 3), cropped=False, captioner="x")
    assert maps.shape == (1, 3, 2, 3)
    assert set(maps.flatten().tolist()) == {2.0}


@pytest.mark.parametrize(("grid", "cropped"), [((2, 2), False), ((2, 3), True)])
def test_what_is_not_a_grid_over_the_whole_photo_is_refused(
    grid: tuple[int, int], cropped: bool
) -> None:
    with pytest.raises(CheckpointError, match="--heatmap: x does not see the whole photo"):
        maps_of_tokens([torch.ones(1, 2, 3, 7)], grid, cropped=cropped, captioner="x")
