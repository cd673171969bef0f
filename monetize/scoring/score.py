"""The contest's score of a set of pictures: FID, KID and MiFID beside reference paintings."""

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from monetize.atomic_files import explained, write_bytes
from monetize.errors import InputError
from monetize.images.image_sets import PictureSet
from monetize.messages import counted
from monetize.progress import Reporter, Stage
from monetize.scoring.inception import WIDTH, Inception
from monetize.scoring.metrics import (
    Estimate,
    Floats,
    bootstrap,
    kernel_distance,
    nearest_distances,
)

BOOTSTRAP_DRAWS = 50
FEWEST = 4
# With fewer, figures say more of which pictures there are than of what they are like.
FEW = 50


@dataclass(frozen=True)
class Score:
    """How far pictures are from reference paintings; less is nearer.

    `distance` is the mean over the pictures of the cosine distance to the nearest training
    painting, which divides FID where it is below 0.1; `nearest` names for the three smallest the
    picture and its distance. `cautions` say what the figures are not good for.
    """

    pictures: int
    references: int
    training: int
    fid: Estimate
    kid: Estimate
    distance: float
    mifid: Estimate
    nearest: tuple[tuple[str, float], ...]
    cautions: tuple[str, ...]


def score(
    generated: PictureSet,
    reference: PictureSet,
    inception: Inception,
    reporter: Reporter,
    *,
    training: PictureSet | None = None,
    cache: bool = True,
    draws: int = BOOTSTRAP_DRAWS,
) -> Score:
    """Score pictures beside a reference, and their memorization beside the training set.

    The training set is the reference where none is given. Raises InputError for a picture that
    cannot be read, and for fewer than four. The features of the references are kept for the next
    time, unless not cache.
    """
    for pictures in (generated, reference, *([training] if training else [])):
        if len(pictures) < FEWEST:
            raise InputError(f"{pictures.source}: {FEWEST} pictures are the fewest to be scored")
    cautions = _cautions(generated, reference)
    for caution in cautions:
        reporter.warn(caution)
    # First what is likeliest to hold a picture that cannot be read, before minutes are spent.
    ours = _features(generated, inception, reporter, cache=False)
    theirs = _features(reference, inception, reporter, cache=cache)
    trained = theirs
    if training is not None:
        trained = _features(training, inception, reporter, cache=cache)
    distances = nearest_distances(ours, trained)
    with reporter.stage("Bootstrap", draws, "draw") as progress:
        fid, mifid = bootstrap(ours, theirs, distances, draws, progress.advance)
    return Score(
        pictures=len(generated),
        references=len(reference),
        training=len(training or reference),
        fid=fid,
        kid=kernel_distance(ours, theirs),
        distance=float(distances.mean()),
        mifid=mifid,
        nearest=tuple((generated.names[i], float(distances[i])) for i in np.argsort(distances)[:3]),
        cautions=tuple(cautions),
    )


def _cautions(generated: PictureSet, reference: PictureSet) -> list[str]:
    cautions = []
    fewest = min(len(generated), len(reference))
    if fewest <= WIDTH:
        cautions.append(
            f"{counted(len(generated), 'picture')} and {counted(len(reference), 'reference')}: "
            f"a covariance of {WIDTH:,} features wants more than as many of each. FID and MiFID "
            "come out too high; compare them only between sets of the same sizes, and KID else"
        )
    if fewest < FEW:
        cautions.append(f"fewer than {FEW} pictures in a set: the figures mean next to nothing")
    return cautions


def _features(
    pictures: PictureSet, inception: Inception, reporter: Reporter, *, cache: bool
) -> Floats:
    file = None
    if cache:
        file = _cache_folder() / f"{inception.digest[:16]}-{pictures.digest()[:32]}.npy"
        with explained(file):  # before the work and not after it
            file.parent.mkdir(parents=True, exist_ok=True)
        kept = _kept(file, len(pictures))
        if kept is not None:
            reporter.say(f"Features of {pictures.source}: from {file}")
            return kept
    label = f"Features of {pictures.source.name}"
    with reporter.stage(label, len(pictures), "picture") as progress:
        images = _counted(pictures.images(), progress)
        features = np.concatenate(list(inception.features(images)))
    if file is not None:
        buffer = io.BytesIO()
        np.save(buffer, features.astype(np.float32))
        write_bytes(file, buffer.getvalue())
    return features


def _kept(file: Path, number: int) -> Floats | None:
    """What an earlier call kept in a file; None where it is missing, damaged or of other form."""
    try:
        features: Floats = np.load(file, allow_pickle=False).astype(np.float64)
    except (OSError, ValueError, EOFError):
        return None
    return features if features.shape == (number, WIDTH) else None


def _counted(images: Iterator[Image.Image], progress: Stage) -> Iterator[Image.Image]:
    for image in images:
        yield image
        progress.advance()


def _cache_folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "monetize" / "features"
