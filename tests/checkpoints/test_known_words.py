from pathlib import Path

from monetize.checkpoints.known_words import FILE, unknown_words
from monetize.checkpoints.layout import PAINTER
from monetize.checkpoints.resolve import Checkpoint


def painter(folder: Path) -> Checkpoint:
    return Checkpoint("small", "small", folder, PAINTER)


def test_words_outside_the_list_are_unknown_once_and_in_order(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("a\nred\nsun\n")
    texts = ["A red pine, 2 Zürich suns", "a pine"]
    assert unknown_words(painter(tmp_path), texts) == ["pine", "zürich", "suns"]


def test_a_checkpoint_without_a_list_knows_every_word(tmp_path: Path) -> None:
    assert unknown_words(painter(tmp_path), ["a pine"]) == []
