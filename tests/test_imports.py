"""Imports run downward only, and the command line starts without torch."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "monetize"

# From top to bottom; a room may import only from the lines below its own, never from its
# neighbors. The table below has the rooms of the modules at the top of the package; what
# __init__ offers to users of the library is as high as the command line.
FLOORS = (
    ("cli",),
    ("gallery",),
    ("job", "sheets"),
    ("painting", "captioning"),
    ("checkpoints", "contest", "scoring"),
    ("images", "devices"),
    ("settings",),
    ("prompts",),
    ("ground",),
)
ROOM_OF_MODULE = {
    "__main__": "cli",
    "device_report": "devices",
    "presets": "settings",
    "__init__": "cli",
    "__version__": "ground",
    "adapters": "settings",
    "atomic_files": "ground",
    "child_process": "ground",
    "chunks": "ground",
    "csv_tables": "ground",
    "digests": "ground",
    "durations": "ground",
    "errors": "ground",
    "file_errors": "ground",
    "home_folder": "ground",
    "image_sizes": "ground",
    "messages": "ground",
    "interruption": "ground",
    "progress": "ground",
    "standard_streams": "ground",
    "stores": "ground",
    "text_files": "ground",
}
FLOOR = {room: -number for number, rooms in enumerate(FLOORS) for room in rooms}


def room_of(module: str) -> str:
    """The room of a module such as monetize.checkpoints.hub; raises KeyError for an unknown one."""
    _, *names = module.split(".")
    name = names[0] if names else "__init__"
    room = ROOM_OF_MODULE.get(name, name)
    FLOOR[room]
    return room


def imports(source: str) -> Iterator[str]:
    """The modules of this package that a source imports anywhere, even inside a function."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            names = [str(node.module)]
            if names == [PACKAGE.name]:
                names = [f"{PACKAGE.name}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == PACKAGE.name)


def upward(module: str, source: str) -> list[str]:
    """The imports of a module that do not run downward, as `module imports other`."""
    here = room_of(module)
    return [
        f"{module} imports {other}"
        for other in imports(source)
        if room_of(other) != here and FLOOR[room_of(other)] >= FLOOR[here]
    ]


def modules() -> dict[str, Path]:
    return {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def test_imports_run_downward_only() -> None:
    found = [line for name, path in modules().items() for line in upward(name, path.read_text())]
    assert found == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("monetize.prompts.tokens", "from monetize.settings import PaintSettings"),
        ("monetize.errors", "import monetize.cli"),
        ("monetize.images.photos", "def f():\n    from monetize.devices import place"),
        ("monetize.chunks", "from monetize import presets"),
    ],
)
def test_an_upward_or_sideways_import_is_found(module: str, source: str) -> None:
    assert len(upward(module, source)) == 1


def test_a_module_without_a_room_is_found() -> None:
    with pytest.raises(KeyError, match="shed"):
        upward("monetize.shed", "")


def test_the_command_line_does_not_import_torch() -> None:
    code = """
import sys
import monetize.cli
heavy = ("torch", "transformers", "diffusers", "ray", "fsspec")
print([name for name in heavy if name in sys.modules])
"""
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True
    )
    assert result.stdout == "[]\n", result.stderr
