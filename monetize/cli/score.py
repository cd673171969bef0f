"""`monetize score`: how near pictures come to paintings, as the contest measures it."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from monetize.cli.options import output_options
from monetize.cli.terminal import Terminal, load_libraries
from monetize.settings import DeviceSettings

PICTURES = click.Path(exists=True, path_type=Path)


@click.command()
@click.argument("what", type=PICTURES)
@click.option(
    "--reference",
    type=PICTURES,
    required=True,
    help="Paintings to be near to: a folder or a zip. The contest takes its own 300 Monets.",
)
@click.option(
    "--memorization-reference",
    type=PICTURES,
    help="Paintings that may have been copied, where they are others than --reference.",
)
@click.option(
    "--inception",
    "inception_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="TorchScript of Inception-2015 that maps (batch, 3, 299, 299) in [-1, 1] to 2,048 "
    "features.  [default: the one that the extra `score` brings]",
)
@click.option(
    "--device", default=DeviceSettings.device, show_default=True, help="auto, cpu, cuda, cuda:1."
)
@click.option("--no-cache", is_flag=True, help="Do not keep the features of the references.")
@click.option("--json", "as_json", is_flag=True, help="Print an object with all figures.")
@output_options
def score(
    what: Path,
    reference: Path,
    memorization_reference: Path | None,
    inception_file: Path | None,
    device: str,
    no_cache: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Score the pictures of WHAT, a zip or a folder, beside reference paintings; less is better.

    \b
    MiFID  the contest's score: FID, divided by the mean cosine distance of the
           pictures to the nearest training painting if that is below 0.1
    FID    distance of means and covariances of Inception features
    KID    distance by a kernel, x 1000; fair to small sets

    Behind each stands its standard deviation: of MiFID and FID over 50 bootstrap draws of the
    pictures, of KID over 100 subsets of 1,000, or of half the pictures where they are fewer.

    \b
    Examples:
      monetize score images.zip --reference monet_jpg/
      monetize score photos/ --reference monet_jpg/          what is to be beaten
      monetize score images.zip --reference all_monets/ --memorization-reference monet_jpg/
      monetize score images.zip --reference monet_jpg/ --json
    """
    terminal = Terminal(quiet=quiet, verbose=verbose)
    terminal.say(f"Scoring {what} beside {reference}")
    load_libraries(terminal)
    from monetize.devices import place
    from monetize.images.image_sets import ImageSet
    from monetize.scoring.inception import Inception
    from monetize.scoring.metrics import MEMORIZATION_EPSILON
    from monetize.scoring.score import score as score_pictures

    generated, paintings = ImageSet.of(what), ImageSet.of(reference)
    training = ImageSet.of(memorization_reference) if memorization_reference else None
    inception = Inception.load(inception_file, place(DeviceSettings(device=device)).device)
    result = score_pictures(
        generated, paintings, inception, terminal, training=training, cache=not no_cache
    )
    if as_json:
        terminal.result(json.dumps(asdict(result), indent=2))
        return
    limit = MEMORIZATION_EPSILON
    copied = "" if result.distance < limit else f", not below {limit}: none is held to be a copy"
    kid = f"{1000 * result.kid.value:.2f} ± {1000 * result.kid.std:.2f}"
    terminal.result(f"MiFID       {result.mifid}")
    terminal.result(f"FID         {result.fid}")
    terminal.result(f"KID x 1000  {kid}")
    terminal.result(f"distance    {result.distance:.3f}{copied}")
    terminal.say(f"Done: {result.images:,} images against {result.references:,}")
