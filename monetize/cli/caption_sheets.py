"""Caption photos batch by batch, and draw the heat maps of `monetize caption`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from monetize.atomic_files import write_bytes
from monetize.captioning.captioner import CaptionAttention, Captioner
from monetize.captioning.read_ahead import of_readable
from monetize.images.decoding import open_photo
from monetize.images.encoding import encode
from monetize.images.photos import Photo
from monetize.sheets.caption_heatmap import draw


def captioned(
    captioner: Captioner,
    batches: Iterable[Sequence[Photo]],
    sheets: Sequence[Path],
    *,
    overwrite: bool,
) -> Iterator[tuple[Sequence[Photo], dict[str, str], dict[str, str]]]:
    """Caption each batch: (photos, captions by key, reasons for unreadable photos by key).

    Writes a heat map for each readable photo if there are sheets to write.
    """
    if not sheets:
        yield from of_readable(captioner, batches, captioner.caption)
        return
    to_draw = iter(sheets)
    for chunk, attentions, unreadable in of_readable(
        captioner, batches, captioner.caption_with_attention
    ):
        _draw(chunk, attentions, to_draw, overwrite=overwrite)
        yield chunk, {key: attention.caption for key, attention in attentions.items()}, unreadable


def _draw(
    chunk: Sequence[Photo],
    attentions: Mapping[str, CaptionAttention],
    sheets: Iterator[Path],
    *,
    overwrite: bool,
) -> None:
    """Write the sheets of a batch; skips the number of a photo that cannot be read."""
    for photo, path in zip(chunk, sheets, strict=False):
        if photo.key in attentions:
            attention = attentions[photo.key]
            drawn = draw(open_photo(photo.path), photo.path.name, attention)
            data = encode(drawn, path, attention.caption, "--heatmap")
            write_bytes(path, data, overwrite=overwrite)
