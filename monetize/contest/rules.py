"""Whether the contest would take a zip: its rules, one by one, and what else is worth knowing."""

import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from monetize.contest.archive import CONTEST_COUNT, CONTEST_NAME, CONTEST_SIZE, is_picture, open_zip
from monetize.contest.zip_members import Seen, look, quiet_pillow
from monetize.messages import counted, name_some, printable
from monetize.progress import Reporter

# More gain nothing: Pillow decodes beside others, but Python between two pictures does not.
THREADS = 4
NONE = "there is no picture"
MODES = {"1": "black and white", "L": "grey", "LA": "grey with transparency", "P": "palette"}


@dataclass(frozen=True)
class Rule:
    """A rule of the contest, whether the zip meets it, and how far or where not."""

    name: str
    met: bool
    detail: str


@dataclass(frozen=True)
class Note:
    """What a person would want to know, in words and as data; no rule forbids it."""

    name: str
    detail: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Checked:
    """A zip beside the rules; `pictures` counts distinct names."""

    pictures: int
    rules: tuple[Rule, ...]
    notes: tuple[Note, ...]

    @property
    def is_entry(self) -> bool:
        """Whether it has as many pictures as the contest wants, and so is meant for it."""
        return self.pictures in CONTEST_COUNT

    @property
    def broken(self) -> int:
        """How many rules are not met; the contest would take the zip if none."""
        return sum(not rule.met for rule in self.rules)


def check(path: Path, reporter: Reporter) -> Checked:
    """Read and decode every picture of a zip, one by one, and hold it against the rules.

    Raises UsageError if there is no such file, InputError if it is no zip or a damaged one.
    """
    seen: list[Seen] = []
    with open_zip(path) as archive:
        members = archive.infolist()
        inside = [info for info in members if is_picture(info.filename)]
        with quiet_pillow(), reporter.stage("Checking", len(inside), "picture") as stage:
            pool = ThreadPoolExecutor(THREADS)
            try:
                for each in pool.map(partial(look, archive), inside):
                    seen.append(each)
                    stage.advance()
            finally:  # an interruption waits for no picture that was not begun
                pool.shutdown(cancel_futures=True)
    pictures = len({each.name for each in seen})
    return Checked(
        pictures,
        (
            _named(path.name),
            _count(pictures),
            _at_the_root(members),
            _of_pictures("JPEG", seen, _other_kind),
            _of_pictures("{} × {} pixels".format(*CONTEST_SIZE), seen, _other_size),
            _of_pictures("RGB", seen, _other_mode),
            _of_pictures("can be decoded", seen, lambda each: each.undecodable, "cannot", "cannot"),
            _of_pictures("whole", seen, lambda each: each.unreadable),
        ),
        (_dull(seen), _identical(seen), _size(path.stat().st_size)),
    )


def _named(name: str) -> Rule:
    met = name == CONTEST_NAME
    return Rule(f"named {CONTEST_NAME}", met, "" if met else f"it is {printable(name)}")


def _count(pictures: int) -> Rule:
    name = f"{CONTEST_COUNT[0]:,} to {CONTEST_COUNT[-1]:,} pictures"
    return Rule(name, pictures in CONTEST_COUNT, f"{pictures:,}")


def _at_the_root(members: Sequence[zipfile.ZipInfo]) -> Rule:
    """Nothing but pictures, in no folder, each under a name of its own."""
    pictures = {info.filename for info in members if is_picture(info.filename)}
    faults = []
    for name, times in Counter(info.filename for info in members).items():
        if name.endswith("/"):
            faults.append(f"{name} (a folder)")
        elif "/" in name or "\\" in name:
            faults.append(f"{name} (in a folder)")
        elif name not in pictures:
            faults.append(f"{name} (not a picture)")
        elif times > 1:
            faults.append(f"{name} ({times:,} of this name)")
    if faults:
        return _broken("at the root", faults, len(members), "is out of place", "are out of place")
    return Rule("at the root", bool(members), f"all {len(members):,}" if members else NONE)


def _of_pictures(
    name: str,
    seen: Sequence[Seen],
    fault: Callable[[Seen], str | None],
    one: str = "is not",
    more: str = "are not",
) -> Rule:
    """A rule for each picture; `fault` is empty for one that meets it, None if it is not known."""
    known = [(each.name, why) for each in seen if (why := fault(each)) is not None]
    faults = [f"{file} ({why})" for file, why in known if why]
    if faults:
        return _broken(name, faults, len(seen), one, more)
    if len(known) == len(seen):
        return Rule(name, bool(seen), f"all {len(seen):,}" if seen else NONE)
    # What could not be looked at breaks another rule, which tells why.
    return Rule(name, bool(known), f"all {len(known):,} that can be told, of {len(seen):,}")


def _broken(name: str, faults: Sequence[str], total: int, one: str, more: str) -> Rule:
    verb = one if len(faults) == 1 else more
    return Rule(name, False, f"{len(faults):,} of {total:,} {verb}: {name_some(faults)}")


def _other_kind(seen: Seen) -> str | None:
    return "" if seen.kind == "JPEG" else seen.kind


def _other_size(seen: Seen) -> str | None:
    if seen.size is None:
        return None
    return "" if seen.size == CONTEST_SIZE else "{} × {}".format(*seen.size)


def _other_mode(seen: Seen) -> str | None:
    return "" if seen.mode == "RGB" else MODES.get(seen.mode or "", seen.mode)


def _dull(seen: Sequence[Seen]) -> Note:
    data = {
        shade: [each.name for each in seen if each.shade == shade] for shade in ("black", "uniform")
    }
    names = data["black"] + data["uniform"]
    detail = f"{len(names):,}: {name_some(names)}" if names else "none"
    return Note("black or nearly uniform", detail, data)


def _identical(seen: Sequence[Seen]) -> Note:
    alike = defaultdict(list)
    for each in seen:
        if each.digest:
            alike[each.digest].append(each.name)
    groups = sorted((names for names in alike.values() if len(names) > 1), key=len, reverse=True)
    detail = "none"
    if groups:
        largest = f", the largest of {len(groups[0]):,}" if len(groups) > 1 else ""
        detail = f"{sum(map(len, groups)):,} in {counted(len(groups), 'group')}{largest}"
        detail += f": {name_some(groups[0])}"
    return Note("identical to another", detail, {"groups": groups})


def _size(size: int) -> Note:
    return Note("size", tqdm.format_sizeof(size, "B"), {"bytes": size})
