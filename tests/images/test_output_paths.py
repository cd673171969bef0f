from pathlib import Path

from monetize.images.output_paths import free_name, numbered


def test_several_paintings_are_numbered() -> None:
    assert numbered(Path("x/a.png"), 1) == [Path("x/a.png")]
    assert numbered(Path("x/a.png"), 2) == [Path("x/a-1.png"), Path("x/a-2.png")]
    assert numbered(Path("a.png"), 10)[0] == Path("a-01.png")


def test_a_free_name_contains_prompt_and_seed_and_is_unused(tmp_path: Path) -> None:
    first = free_name("A pine tree, & a/red sun!", 7, tmp_path)
    assert first == tmp_path / "a-pine-tree-a-red-sun-7.png"
    first.touch()
    assert (
        free_name("A pine tree, & a/red sun!", 7, tmp_path).name == "a-pine-tree-a-red-sun-7-2.png"
    )
    assert free_name("!?", 7, tmp_path).name == "painting-7.png"
    assert len(free_name("long " * 100, 7, tmp_path).name) < 80
