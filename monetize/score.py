"""The contest's score of a set of pictures: FID, KID and MiFID beside reference paintings."""

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from monetize.errors import counted
from monetize.inception import WIDTH, Inception
from monetize.metrics import (
    Estimate,
    Floats,
    bootstrap_frechet_distance,
    kernel_distance,
    memorization_informed,
    nearest_distances,
)
from monetize.picture_sets import PictureSet
from monetize.progress import Reporter, Stage
from monetize.storage import write_bytes

BOOTSTRAP_DRAWS = 50
# With fewer, figures say more of which pictures there are than of what they are like.
FEWEST = 50


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
    cannot be read. The features of the references are kept for the next time, unless not cache.
    """
    cautions = _cautions(generated, reference)
    for caution in cautions:
        reporter.warn(caution)
    theirs = _features(reference, inception, reporter, cache=cache)
    trained = theirs
    if training is not None:
        trained = _features(training, inception, reporter, cache=cache)
    ours = _features(generated, inception, reporter, cache=False)
    with reporter.stage("Bootstrap", draws, "draw") as progress:
        fid = bootstrap_frechet_distance(ours, theirs, draws, progress.advance)
    distances = nearest_distances(ours, trained)
    distance = float(distances.mean())
    return Score(
        pictures=len(generated),
        references=len(reference),
        training=len(training or reference),
        fid=fid,
        kid=kernel_distance(ours, theirs),
        distance=distance,
        mifid=Estimate(
            memorization_informed(fid.value, distance),
            memorization_informed(fid.deviation, distance),
        ),
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
    if fewest < FEWEST:
        cautions.append(f"fewer than {FEWEST} pictures in a set: the figures mean next to nothing")
    return cautions


def _features(
    pictures: PictureSet, inception: Inception, reporter: Reporter, *, cache: bool
) -> Floats:
    file = None
    if cache:
        file = _cache_folder() / f"{inception.digest[:16]}-{pictures.digest()[:32]}.npy"
        if file.exists():
            reporter.say(f"Features of {pictures.source}: from {file}")
            features: Floats = np.load(file, allow_pickle=False).astype(np.float64)
            return features
    label = f"Features of {pictures.source.name}"
    with reporter.stage(label, len(pictures), "picture") as progress:
        images = _counted(pictures.images(), progress)
        features = np.concatenate(list(inception.features(images)))
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        np.save(buffer, features.astype(np.float32))
        write_bytes(file, buffer.getvalue())
    return features


def _counted(images: Iterator[Image.Image], progress: Stage) -> Iterator[Image.Image]:
    for image in images:
        yield image
        progress.advance()


def _cache_folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "monetize" / "features"
