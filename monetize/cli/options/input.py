"""Input: which photos, captions and prompts a command reads."""

import click

from monetize.cli.help import option_in
from monetize.cli.options.base import all_of, shown_default
from monetize.cli.path_types import FILE, FILE_OR_FOLDER, FILE_OR_URL
from monetize.cli.presets import use_like
from monetize.settings import RunSettings

_option = option_in("Input")

recursive_option = _option(
    "--recursive/--no-recursive",
    help="Also look for photos in subfolders.",
    **shown_default(RunSettings.recursive),
)

run_input_options = all_of(
    recursive_option,
    _option("--limit", type=int, help="Use only the first photos, sorted by name."),
    _option(
        "--captions",
        "captions_file",
        type=FILE_OR_FOLDER,
        help="Captions to paint; no photo is captioned. A CSV file with the columns photo (or "
        "image) and caption, a .json or .jsonl file (such as metadata.jsonl of an image folder, or "
        "COCO's captions), or a folder with a .txt file named after each photo. "
        "An empty caption counts as missing.",
    ),
    _option(
        "--caption-missing",
        is_flag=True,
        help="Caption the photos for which --captions has no caption.",
    ),
)

from_file_option = _option(
    "--from-file",
    type=click.File("rb"),
    help="Text file with one prompt per line; - reads standard input.",
)

like_option = _option(
    "--like",
    type=FILE,
    is_eager=True,
    callback=use_like,
    help="Repeat the painting in this file: its prompt, seed and settings become the defaults, "
    "which other options override. Reads files written by monetize and by AUTOMATIC1111's web "
    "UI, and reports what it cannot repeat.",
)

init_image_option = _option(
    "--init-image",
    type=FILE_OR_URL,
    help="Start from this photo instead of noise; --strength says how far to depart from it.",
)
