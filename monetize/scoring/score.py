"""Score a set of images like the contest: FID, KID and MiFID against reference paintings."""

import errno
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from monetize.atomic_files import write_bytes
from monetize.errors import InputError, StorageError
from monetize.file_errors import explain_write_errors
from monetize.images.image_notes import ImageNotes
from monetize.images.image_sets import ImageSet
from monetize.messages import counted, name_some
from monetize.progress import Reporter, Stage
from monetize.scoring.inception import WIDTH, Inception, preprocess
from monetize.scoring.metrics import (
    Estimate,
    Floats,
    bootstrap,
    kernel_distance,
    nearest_distances,
)

BOOTSTRAP_DRAWS = 50
MIN_IMAGES = 4
# Part of the name of cached features: increase it when the same files give different pixels.
DECODING_VERSION = 2
# Figures of fewer images depend more on the choice of images than on their style.
FEW_IMAGES = 50


@dataclass(frozen=True)
class Score:
    """Distances of images from reference paintings; lower is better.

    `distance` is the mean cosine distance of the images to the nearest training painting, which
    divides FID if it is below 0.1; `nearest` lists the three nearest images with their distances.
    `cautions` are limits of the figures. `images`, `references` and `training` are counts.
    """

    images: int
    references: int
    training: int
    fid: Estimate
    kid: Estimate
    distance: float
    mifid: Estimate
    nearest: tuple[tuple[str, float], ...]
    cautions: tuple[str, ...]


def score(
    generated: ImageSet,
    reference: ImageSet,
    inception: Inception,
    reporter: Reporter,
    *,
    training: ImageSet | None = None,
    cache: bool = True,
    draws: int = BOOTSTRAP_DRAWS,
) -> Score:
    """Score images against a reference, and their memorization against a training set.

    The training set defaults to the reference. Raises InputError for an unreadable image, and for
    a set of fewer than four. Features of reference and training set are cached if `cache`; if that
    fails, the reporter is warned.
    """
    for images in (generated, reference, *([training] if training else [])):
        if len(images) < MIN_IMAGES:
            raise InputError(f"{images.source}: scoring needs at least {MIN_IMAGES} images")
        images.tell(reporter)
    cautions = _cautions(generated, reference)
    for caution in cautions:
        reporter.warn(caution)
    # The set that is most likely to have an unreadable image comes first, to fail early.
    ours = _features(generated, inception, reporter, cache=False)
    theirs = _features(reference, inception, reporter, cache=cache)
    trained = theirs
    if training is not None:
        trained = _features(training, inception, reporter, cache=cache)
    distances = nearest_distances(ours, trained)
    with reporter.stage("Bootstrap", draws, "draw") as progress:
        fid, mifid = bootstrap(ours, theirs, distances, draws, progress.advance)
    return Score(
        images=len(generated),
        references=len(reference),
        training=len(training or reference),
        fid=fid,
        kid=kernel_distance(ours, theirs),
        distance=float(distances.mean()),
        mifid=mifid,
        nearest=tuple((generated.names[i], float(distances[i])) for i in np.argsort(distances)[:3]),
        cautions=tuple(cautions),
    )


def _cautions(generated: ImageSet, reference: ImageSet) -> list[str]:
    cautions = []
    smallest = min(len(generated), len(reference))
    if smallest <= WIDTH:
        cautions.append(
            f"{counted(len(generated), 'image')} and {counted(len(reference), 'reference')}: a "
            f"covariance of {WIDTH:,} features needs more than {WIDTH:,} of each. FID and MiFID "
            "come out too high: compare them only between sets of equal sizes, otherwise use KID"
        )
    if smallest < FEW_IMAGES:
        cautions.append(f"a set of fewer than {FEW_IMAGES} images: the figures mean very little")
    return cautions


def _features(images: ImageSet, inception: Inception, reporter: Reporter, *, cache: bool) -> Floats:
    file = _cache_file(images, inception, reporter) if cache else None
    cached = _load(file, len(images)) if file else None
    if cached is not None:
        reporter.say(f"Features of {images.source}: from {file}")
        return cached
    label = f"Features of {images.source.name}"
    notes = ImageNotes()
    with reporter.stage(label, len(images), "image") as progress:
        inputs = _advancing(images.map(preprocess, notes), progress)
        features = np.concatenate(list(inception.features_of(inputs)))
    notes.warn(reporter)
    _require_finite(features, images)
    if file is not None:
        _save(file, features, reporter)
    return features


def _require_finite(features: Floats, images: ImageSet) -> None:
    bad = np.flatnonzero(~np.isfinite(features).all(1))
    if len(bad):
        names = name_some(images.names[i] for i in bad)
        raise InputError(f"{images.source}: the Inception network returns NaN for {names}")


def _cache_file(images: ImageSet, inception: Inception, reporter: Reporter) -> Path | None:
    """Return the file of a set's features; warns, before any work, if there can be none."""
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        reporter.warn("features are not cached: there is no home folder; set XDG_CACHE_HOME")
        return None
    folder = Path(home) / "monetize" / "features"
    name = f"{inception.digest[:16]}-{images.digest()[:32]}-{DECODING_VERSION}.npy"
    file = folder / name
    if file.exists():
        return file
    try:
        with explain_write_errors(file):
            folder.mkdir(parents=True, exist_ok=True)
            if not os.access(folder, os.W_OK):
                raise PermissionError(errno.EACCES, "permission denied")
    except StorageError as error:
        _warn(reporter, error)
        return None
    return file


def _save(file: Path, features: Floats, reporter: Reporter) -> None:
    buffer = io.BytesIO()
    np.save(buffer, features.astype(np.float32))
    try:
        write_bytes(file, buffer.getvalue())
    except StorageError as error:
        _warn(reporter, error)


def _warn(reporter: Reporter, error: StorageError) -> None:
    reporter.warn(f"features are not cached: {error}. XDG_CACHE_HOME names another folder")


def _load(file: Path, count: int) -> Floats | None:
    """Read cached features; None if the file is missing, damaged or of another shape."""
    try:
        features: Floats = np.load(file, allow_pickle=False).astype(np.float64)
    except (OSError, ValueError, EOFError):
        return None
    intact = features.shape == (count, WIDTH) and np.isfinite(features).all()
    return features if intact else None


def _advancing(inputs: Iterator[Tensor], progress: Stage) -> Iterator[Tensor]:
    for each in inputs:
        yield each
        progress.advance()
