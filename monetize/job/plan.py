"""The plan of a job: which painting is made from which photo, under which name and seed."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from monetize.contest.archive import name_files
from monetize.errors import UsageError
from monetize.images.photos import Photo
from monetize.job.job import Job
from monetize.job.start_photos import StartPhotos
from monetize.messages import printable
from monetize.painting.request import PaintRequest
from monetize.painting.spec import PainterSpec
from monetize.prompts.prompt import Prompt, compose
from monetize.prompts.style import choose_style
from monetize.prompts.tokens import WeightedPrompt, weigh
from monetize.settings import PaintSettings
from monetize.stores.remote_path import AnyPath
from monetize.text_files import canonical


@dataclass(frozen=True)
class Item:
    """One painting to make: of which photo, under which name, from what.

    `identity` tells whether a finished painting is still the one that is wanted.
    """

    photo: str
    file: str
    caption: str
    request: PaintRequest
    identity: str


def plan(
    job: Job,
    captions: Mapping[str, str],
    painter: PainterSpec,
    painter_digest: str,
    photos: StartPhotos,
) -> Iterator[tuple[Item, WeightedPrompt]]:
    """Yield what to paint for each captioned photo, in the order of the photos.

    Raises UsageError if two weights apply to one token, and for a mistake in a prompt's syntax.
    """
    settings, tokenizer = job.settings, painter.tokenizer
    folder_name = cache(_folder_name)  # photos are many, and folders few
    files = name_files([photo.key for photo in job.photos])
    for photo in job.photos:
        if photo.key not in captions:
            continue
        caption = captions[photo.key]
        own_seed = photo_seed(settings.seed, photo.key)
        style = choose_style(job.styles, own_seed)
        prompt = _prompt(settings.paint, photo, folder_name(photo.path.parent), caption, style)
        weighted = weigh(tokenizer, prompt)
        seed = settings.seed if settings.shared_seed else own_seed
        init_image = photo.path if settings.paint.strength is not None else None
        size = painter.size_for(photos.sizes.get(photo.key))
        request = PaintRequest.of_weighted(weighted, prompt, seed, init_image, size)
        weights = [str(weight) for weight in prompt.weights]
        identity = painting_identity(
            photo.key,
            prompt.written,
            weights,
            seed,
            painter_digest,
            photos.digests.get(photo.key, ""),
        )
        yield Item(photo.key, files[photo.key], caption, request, identity), weighted


def _prompt(settings: PaintSettings, photo: Photo, folder: str, caption: str, style: str) -> Prompt:
    try:
        return compose(
            caption, style, settings.weight, names_of(photo, folder), settings.prompt_syntax
        )
    except UsageError as error:
        raise UsageError(f"the prompt of {photo.key}: {error}") from None


def names_of(photo: Photo, folder: str) -> dict[str, str]:
    """What a style may say of a photo: the stem of its name, and the folder that it is in."""
    return {"stem": _shown(photo.path.stem), "folder": folder}


def _folder_name(folder: AnyPath) -> str:
    return _shown(folder.resolve().name)


def _shown(name: str) -> str:
    # A Mac may list the same name in another Unicode form.
    return printable(canonical(name))


def painting_identity(
    photo: str,
    prompt: str,
    weights: Sequence[str],
    seed: int,
    painter_digest: str,
    photo_digest: str = "",
) -> str:
    """A digest that is equal for equal paintings, wherever they are in a job's plan.

    `photo_digest` is the content of the photo if the painting depends on it.
    """
    values = [photo, prompt, list(weights), seed, painter_digest]
    if photo_digest:
        values.append(photo_digest)
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def photo_seed(base: int, key: str) -> int:
    """A photo's own seed, 32 bits: the same on every machine, in any order and batch."""
    # A Mac may list the same name in another Unicode form.
    text = f"{base}:{canonical(key)}"
    digest = hashlib.sha256(text.encode(errors="surrogateescape")).digest()
    return int.from_bytes(digest[:4], "big")
