"""The container is built from files that there are, all of them, and runs without rights."""

import re
import shlex
import tomllib
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
DOCKERFILE = ROOT / "scripts" / "docker" / "Dockerfile"
LINES = DOCKERFILE.read_text("utf-8").replace("\\\n", "").splitlines()
INSTRUCTIONS = [line.split(maxsplit=1) for line in LINES if re.match(r"[A-Z]+ ", line)]
COPIED = {name for word, rest in INSTRUCTIONS if word == "COPY" for name in shlex.split(rest)[:-1]}


def test_every_file_that_is_copied_is_there_and_not_ignored() -> None:
    text = DOCKERFILE.with_name("Dockerfile.dockerignore").read_text("utf-8")
    kept = [line.removeprefix("!") for line in text.splitlines() if line.startswith("!")]
    assert text.splitlines()[1] == "*"
    for name in COPIED:
        assert (ROOT / name).exists()
        assert any(fnmatch(name, each) for each in kept)


def test_all_that_the_wheel_is_built_from_is_copied() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel["force-include"], "pyproject.toml"}
    needed |= {project["project"]["readme"]}
    needed |= {name.split("/")[0] for name in project["project"]["license-files"]}
    assert needed <= COPIED


def test_it_runs_as_a_user_without_rights_and_keeps_its_cache_in_a_volume() -> None:
    last = {word: rest for word, rest in INSTRUCTIONS}  # noqa: C416 # of lists
    assert last["USER"].isdecimal()
    assert int(last["USER"]) > 0
    assert last["VOLUME"] == "/cache"
    assert "XDG_CACHE_HOME=/cache" in last["ENV"]
