"""Output: which files a command writes, and in what form."""

from monetize.cli.help import option_in
from monetize.cli.options.base import all_of, shown_default
from monetize.cli.parameter_types import SIZE
from monetize.cli.path_types import FOLDER, OUTPUT_FILE, OUTPUT_FOLDER, OUTPUT_PAGE
from monetize.settings import RunSettings

_option = option_in("Output")

run_output_options = all_of(
    _option(
        "--output-folder",
        type=OUTPUT_FOLDER,
        help="Write the paintings into this folder in place of a zip. It is created, or must be "
        "empty or that of an earlier job. Paintings have the same names as in a zip, also those of "
        "photos in subfolders.",
    ),
    _option(
        "--output-size",
        type=SIZE,
        help="Size of the JPEGs, in pixels: N for a square, as the contest requires, "
        "WIDTHxHEIGHT, or fit for the size that is painted.",
        **shown_default(RunSettings.output_size),
    ),
    _option(
        "--jpeg-quality",
        type=int,
        help="Quality of the JPEGs, from 1 to 100.",
        **shown_default(RunSettings.jpeg_quality),
    ),
    _option(
        "--metadata/--no-metadata",
        default=None,
        help="Write prompt and settings into each JPEG, as `monetize paint` does.  "
        "[default: on with --output-folder, off for a zip]",
    ),
    _option(
        "--gallery/--no-gallery",
        "with_gallery",
        default=False,
        show_default=True,
        help="When the job is done, also build the page that `monetize gallery` builds; "
        "--update replaces it, too. --time-budget does not include it.",
    ),
    _option(
        "--work-folder",
        type=FOLDER,
        help="Folder for OUT.work if OUT is in a store.  [default: the current folder]",
    ),
    _option("--keep-work", is_flag=True, help="Keep the folder OUT.work when the job is done."),
    _option(
        "--overwrite",
        is_flag=True,
        help="Start over, and replace OUT, or the paintings in the folder, if they exist.",
    ),
    _option(
        "--update",
        is_flag=True,
        help="Replace OUT if it exists, and keep the paintings in it that still fit: same photo, "
        "caption, prompt, weights, seed and settings.",
    ),
)

_overwrite_option = _option(
    "--overwrite",
    is_flag=True,
    help="Replace the output files if they exist; symbolic links are followed.",
)

paint_output_options = all_of(
    _option(
        "--output",
        "-o",
        type=OUTPUT_FILE,
        help="PNG or JPEG file to write; several paintings are numbered.  "
        "[default: a new file named after the prompt and the seed]",
    ),
    _option(
        "--heatmap",
        type=OUTPUT_FILE,
        help="PNG or JPEG file for a sheet that shows where each word acted on the painting. With "
        "weights it compares before and after, so each picture is painted twice. The sheets of "
        "several paintings are numbered, those of a --sweep are named after its steps.",
    ),
    _overwrite_option,
)

caption_output_options = all_of(
    _option("--csv", "form", flag_value="csv", help="Write the columns photo and caption."),
    _option("--json", "form", flag_value="json", help="Write a list of objects."),
    _option(
        "--sidecar",
        "form",
        flag_value="sidecar",
        help="Write each caption next to its photo, into a .txt file named after the photo.",
    ),
    _option(
        "--output",
        "-o",
        type=OUTPUT_FILE,
        help="File to write: .csv, .json, or .jsonl for an object a line, which `monetize run "
        "--captions` reads; any other name for tab-separated text.",
    ),
    _option(
        "--heatmap",
        type=OUTPUT_FILE,
        help="PNG or JPEG file for a sheet that shows where in the photo each word of the caption "
        "comes from. The sheets of several photos are numbered.",
    ),
    _overwrite_option,
)

gallery_output_options = all_of(
    _option(
        "--output",
        "-o",
        type=OUTPUT_PAGE,
        help="Page to write, an .html file; its pictures go into a folder next to it.  "
        "[default: OUT.html]",
    ),
    _option("--overwrite", is_flag=True, help="Replace the gallery if it exists."),
)

json_option = _option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
