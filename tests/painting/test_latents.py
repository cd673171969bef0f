import torch

from monetize.painting.latents import SeededNoise


def test_noise_does_not_depend_on_the_batch() -> None:
    shape = (4, 8, 8)
    both, alone = SeededNoise([8, 9]), SeededNoise([9])
    for _ in range(2):
        drawn = both.draw(shape)
        assert drawn.shape == (2, *shape)
        assert torch.equal(drawn[1:], alone.draw(shape))


def test_noise_can_be_drawn_for_some_of_a_batch() -> None:
    noise = SeededNoise([8, 9])
    second = noise.draw((4,), slice(1, 2))
    assert torch.equal(second, SeededNoise([9]).draw((4,)))
    assert not torch.equal(noise.draw((4,))[1:], second)
