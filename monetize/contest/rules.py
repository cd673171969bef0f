"""Check a zip against the contest's rules, and note what else is worth knowing."""

import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from monetize.contest.zip_members import MemberInfo, MemberInspector
from monetize.images.zip_files import image_members, open_zip
from monetize.messages import counted, name_some, printable
from monetize.progress import Reporter

CONTEST_NAME = "images.zip"
CONTEST_COUNT = range(7_000, 10_001)
CONTEST_SIZE = (256, 256)
# More threads gain nothing: Pillow decodes in parallel, the Python code between images does not.
THREADS = 4
NO_IMAGES = "no images found"
MODES = {"1": "black and white", "L": "gray", "LA": "gray with transparency", "P": "palette"}


@dataclass(frozen=True)
class Rule:
    """A rule of the contest, whether the zip meets it, and the details."""

    name: str
    met: bool
    detail: str


@dataclass(frozen=True)
class Note:
    """Something worth knowing that breaks no rule, in words and as data."""

    name: str
    detail: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class CheckResult:
    """Result of checking a zip against the rules; `images` counts distinct names."""

    images: int
    rules: tuple[Rule, ...]
    notes: tuple[Note, ...]

    @property
    def is_entry(self) -> bool:
        """Whether the number of images is right, so that the zip is meant for the contest."""
        return self.images in CONTEST_COUNT

    @property
    def broken(self) -> int:
        """How many rules are not met; the contest would accept the zip if 0."""
        return sum(not rule.met for rule in self.rules)


def check(path: Path, reporter: Reporter) -> CheckResult:
    """Read and decode every image of a zip, and check the zip against the rules.

    Raises UsageError if there is no such file, InputError if it is not a zip or is damaged.
    """
    infos: list[MemberInfo] = []
    with open_zip(path) as archive:
        members = archive.infolist()
        images = image_members(archive)
        with reporter.stage("Checking", len(images), "image") as stage:
            pool = ThreadPoolExecutor(THREADS)
            try:
                for info in pool.map(MemberInspector(archive).inspect, images):
                    infos.append(info)
                    stage.advance()
            finally:  # an interruption does not wait for images that are not started
                pool.shutdown(cancel_futures=True)
    count = len({info.name for info in infos})
    return CheckResult(
        count,
        (
            _named(path.name),
            _count(count),
            _at_the_root(members, images),
            _of_images("JPEG", infos, _other_format),
            _of_images("{} × {} pixels".format(*CONTEST_SIZE), infos, _other_size),
            _of_images("RGB", infos, _other_mode),
            _of_images("can be decoded", infos, lambda info: info.undecodable, "cannot", "cannot"),
            _of_images("intact", infos, lambda info: info.unreadable),
        ),
        (_dull(infos), _identical(infos), _size(path.stat().st_size)),
    )


def _named(name: str) -> Rule:
    met = name == CONTEST_NAME
    return Rule(f"named {CONTEST_NAME}", met, "" if met else f"it is {printable(name)}")


def _count(count: int) -> Rule:
    name = f"{CONTEST_COUNT[0]:,} to {CONTEST_COUNT[-1]:,} images"
    return Rule(name, count in CONTEST_COUNT, f"{count:,}")


def _at_the_root(members: Sequence[zipfile.ZipInfo], images: Sequence[zipfile.ZipInfo]) -> Rule:
    """Check that there are only images, in no folder, with distinct names."""
    image_names = {member.filename for member in images}
    faults = []
    for name, times in Counter(member.filename for member in members).items():
        if name.endswith("/"):
            faults.append(f"{name} (a folder)")
        elif "/" in name or "\\" in name:
            faults.append(f"{name} (in a folder)")
        elif name not in image_names:
            faults.append(f"{name} (not an image)")
        elif times > 1:
            faults.append(f"{name} ({times:,} with this name)")
    if faults:
        return _broken("at the root", faults, len(members), "is misplaced", "are misplaced")
    return Rule("at the root", bool(members), f"all {len(members):,}" if members else NO_IMAGES)


def _of_images(
    name: str,
    infos: Sequence[MemberInfo],
    fault: Callable[[MemberInfo], str | None],
    singular: str = "is not",
    plural: str = "are not",
) -> Rule:
    """Check a rule for each image; `fault` is empty if it is met, None if that is unknown."""
    known = [(info.name, why) for info in infos if (why := fault(info)) is not None]
    faults = [f"{file} ({why})" for file, why in known if why]
    if faults:
        return _broken(name, faults, len(infos), singular, plural)
    if len(known) == len(infos):
        return Rule(name, bool(infos), f"all {len(infos):,}" if infos else NO_IMAGES)
    # An image that could not be examined breaks another rule, which says why.
    return Rule(name, bool(known), f"all {len(known):,} that could be examined, of {len(infos):,}")


def _broken(name: str, faults: Sequence[str], total: int, singular: str, plural: str) -> Rule:
    verb = singular if len(faults) == 1 else plural
    return Rule(name, False, f"{len(faults):,} of {total:,} {verb}: {name_some(faults)}")


def _other_format(info: MemberInfo) -> str | None:
    return "" if info.format == "JPEG" else info.format


def _other_size(info: MemberInfo) -> str | None:
    if info.size is None:
        return None
    return "" if info.size == CONTEST_SIZE else "{} × {}".format(*info.size)


def _other_mode(info: MemberInfo) -> str | None:
    return "" if info.mode == "RGB" else MODES.get(info.mode or "", info.mode)


def _dull(infos: Sequence[MemberInfo]) -> Note:
    data = {
        shade: [info.name for info in infos if info.shade == shade]
        for shade in ("black", "uniform")
    }
    names = data["black"] + data["uniform"]
    detail = f"{len(names):,}: {name_some(names)}" if names else "none"
    return Note("black or nearly uniform", detail, data)


def _identical(infos: Sequence[MemberInfo]) -> Note:
    by_digest = defaultdict(list)
    for info in infos:
        if info.digest:
            by_digest[info.digest].append(info.name)
    groups = sorted(
        (names for names in by_digest.values() if len(names) > 1), key=len, reverse=True
    )
    detail = "none"
    if groups:
        largest = f", the largest of {len(groups[0]):,}" if len(groups) > 1 else ""
        detail = f"{sum(map(len, groups)):,} in {counted(len(groups), 'group')}{largest}"
        detail += f": {name_some(groups[0])}"
    return Note("identical to another", detail, {"groups": groups})


def _size(size: int) -> Note:
    return Note("size", tqdm.format_sizeof(size, "B"), {"bytes": size})
