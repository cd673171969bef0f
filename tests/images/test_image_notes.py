from helpers import Listener

from monetize.images.image_notes import ImageNotes


def test_each_note_is_reported_once_with_some_names() -> None:
    notes, listener = ImageNotes(), Listener()
    for name in "abcde":
        notes.add(f"{name}.jpg", "a color profile was ignored because it is damaged")
    notes.add("f.jpg", "another note")
    notes.warn(listener)
    notes.warn(listener)
    assert listener.warnings == [
        "a color profile was ignored because it is damaged, in 5 images: "
        "a.jpg, b.jpg, c.jpg and 2 more",
        "another note, in 1 image: f.jpg",
    ]
