"""Make the dataset that the notebook needs on Kaggle, where there is no internet.

    python scripts/kaggle/bundle.py --owner YOUR-KAGGLE-NAME

writes the folder kaggle-bundle: wheels of monetize and of what Kaggle's image does not have, the
two checkpoints, dataset-metadata.json and SHA256SUMS. It needs Python 3.11 or newer with pip, and
the internet, on any system. With the default checkpoints that is 3.2 GB. If it is interrupted, the
same command continues.
"""

import argparse
import atexit
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from monetize.errors import CheckpointError, MonetizeError, UsageError  # noqa: E402

if TYPE_CHECKING:
    from monetize.checkpoints.layout import Layout

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
# The image's glibc is newer than these tags require.
PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64")
WHEELS, CAPTIONER, PAINTER = "wheels", "captioner", "painter"
METADATA, CHECKSUMS = "dataset-metadata.json", "SHA256SUMS"
TITLE, SLUG = "monetize bundle", "monetize-bundle"


def main() -> None:
    """Make the bundle; failures end with a message."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--owner", required=True, help="your name on Kaggle, as in its URL")
    parser.add_argument("--out", type=Path, default=Path("kaggle-bundle"), help="(%(default)s)")
    parser.add_argument("--python", default="3.12", help="the image's Python (%(default)s)")
    parser.add_argument("--captioner", default="vit-gpt2", help="name, hub id or local folder")
    parser.add_argument("--painter", default="sd-v1-4", help="likewise")
    args = parser.parse_args()
    try:
        bundle(args.out, args.owner, args.python, args.captioner, args.painter)
    except (MonetizeError, OSError) as error:
        sys.exit(f"Error: {error}")
    except KeyboardInterrupt:
        sys.exit("Interrupted: the same command continues")


def bundle(out: Path, owner: str, python: str, captioner: str, painter: str) -> None:
    """Make or complete the bundle in the folder `out`, and say how to upload it."""
    start(out, owner)
    add_wheels(out / WHEELS, python)
    add_checkpoints(out, captioner, painter)
    size = write_checksums(out)
    print(f"{out}: {size / 1e6:,.0f} MB. Upload it, with the package kaggle from PyPI:\n")
    options = f'-p "{out}" --dir-mode zip --keep-tabular'
    print(f"    kaggle datasets create {options}\n\nand later versions of it:\n")
    print(f"    kaggle datasets version {options} -m VERSION")


def start(out: Path, owner: str) -> None:
    """Make the folder, which must be new or a bundle, because other files in it are removed."""
    if not re.fullmatch(r"[a-z0-9-]+", owner):
        raise UsageError(f"--owner {owner}: give your name on Kaggle as in its URL, such as ada-l")
    if out.is_dir() and any(out.iterdir()) and not (out / METADATA).exists():
        raise UsageError(f"--out {out} has other files in it: give a new folder")
    out.mkdir(parents=True, exist_ok=True)
    content = {"title": TITLE, "id": f"{owner}/{SLUG}", "licenses": [{"name": "other"}]}
    (out / METADATA).write_text(json.dumps(content, indent=2) + "\n", "utf-8")


def add_wheels(folder: Path, python: str) -> None:
    """Build monetize's wheel and download the others; files of other versions are removed."""
    folder.mkdir(exist_ok=True)
    wanted = required_wheels()
    for path in folder.iterdir():
        if "-".join(path.name.split("-")[:2]) not in wanted:
            path.unlink()
    print("Building the wheel of monetize ...")
    pip("wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
    print(f"Downloading {len(wanted)} wheels for Python {python} ...")
    platforms = [part for name in PLATFORMS for part in ("--platform", name)]
    pip(
        *("download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version", python),
        *(*platforms, "--requirement", REQUIREMENTS, "--dest", folder),
    )


def required_wheels() -> set[str]:
    """The beginnings of the wheels' names, such as `huggingface_hub-2.4.0`."""
    lines = REQUIREMENTS.read_text("utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    return {pin.replace("-", "_").replace("==", "-") for pin in pins}


def add_checkpoints(out: Path, captioner: str, painter: str) -> None:
    """Copy the files that are needed of both checkpoints, in half precision where there is one."""
    _provide_hub()
    from monetize.checkpoints import layout

    for name, kind, part in (
        (captioner, layout.CAPTIONER, CAPTIONER),
        (painter, layout.PAINTER, PAINTER),
    ):
        copy_checkpoint(name, kind, out / part)


def copy_checkpoint(name: str, layout: "Layout", target: Path) -> None:
    """Copy a checkpoint, which is downloaded if it is on the hub; keeps what was copied before."""
    from monetize.checkpoints.resolve import list_files, resolve

    checkpoint = resolve(name, layout, half=True)
    if checkpoint.file is not None:
        raise CheckpointError(f"{name} is a single file: give a folder in {layout.form} layout")
    names = layout.select(list_files(checkpoint.folder), checkpoint.variant)
    print(f"Copying {name}: {len(names)} files, {checkpoint.variant or 'the only precision'} ...")
    if target.is_dir():
        for other in set(list_files(target)) - set(names):
            (target / other).unlink()
    for each in names:
        _copy(checkpoint.folder / each, target / each)


def write_checksums(out: Path) -> int:
    """Write SHA256SUMS of the files to upload; returns the bytes of all."""
    print("Computing checksums ...")
    lines, size = [], 0
    for path in sorted(_files(out)):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size += path.stat().st_size
        name = path.relative_to(out).as_posix()
        lines.append(f"{digest}  {name}\n")
        print(f"{path.stat().st_size:>13,}  {name}")
    (out / CHECKSUMS).write_bytes("".join(lines).encode())
    return size


def _files(out: Path) -> Iterator[Path]:
    for part in (WHEELS, CAPTIONER, PAINTER):
        yield from (path for path in (out / part).rglob("*") if path.is_file())


def _copy(source: Path, target: Path) -> None:
    """Copy a file under a temporary name, unless one of the same size and time is there."""
    original = source.stat()
    if target.exists():
        copied = target.stat()
        if (copied.st_size, copied.st_mtime_ns) == (original.st_size, original.st_mtime_ns):
            return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    shutil.copyfile(source, part)
    os.utime(part, ns=(original.st_atime_ns, original.st_mtime_ns))
    part.replace(target)


def _provide_hub() -> None:
    """Have the hub's library, for this process only where it is not installed."""
    try:
        metadata.version("tqdm")
        if int(metadata.version("huggingface_hub").partition(".")[0]) >= 2:
            return
    except metadata.PackageNotFoundError:
        pass
    print("Installing the hub's library into a temporary folder ...")
    folder = tempfile.mkdtemp(prefix="monetize-bundle-")
    # On Windows, loaded libraries cannot be removed.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    pip(
        *("install", "--quiet", "--target", folder, "--constraint", REQUIREMENTS),
        *("huggingface_hub", "tqdm"),
    )
    sys.path.insert(0, folder)


def pip(*arguments: object) -> None:
    """Run pip; raises MonetizeError if it fails."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    if subprocess.run(command).returncode:
        raise MonetizeError("pip failed, see above; the same command continues")


if __name__ == "__main__":
    main()
