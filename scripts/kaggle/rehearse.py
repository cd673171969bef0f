"""Execute the notebook in this Python environment, with folders in the place of Kaggle's mounts.

As near to Kaggle as it gets elsewhere is an environment of the image's versions without network (by
unshare, on Linux, as root), and a bundle with the small models in place of the real ones:

    python3.12 -m venv image
    image/bin/pip install -r scripts/kaggle/image-3.12.txt
    python scripts/kaggle/bundle.py --owner me --captioner pocket --painter pocket --out bundle
    unshare --net sh -c 'ip link set lo up &&
        image/bin/python scripts/kaggle/rehearse.py bundle tests/photos'

The notebook installs the bundle's wheels into the environment.
"""

import argparse
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbformat import v4

NOTEBOOK = Path(__file__).with_name("notebook.ipynb")
# Below /kaggle/input: the contest's photos, and the bundle.
LAYOUTS = {
    "current": ("competitions/gan-getting-started/photo_jpg", "datasets/me/monetize-bundle"),
    "former": ("gan-getting-started/photo_jpg", "monetize-bundle"),
}
Copy = Callable[[str, str], object]


def mount(root: Path, layout: str, photos: Path, bundle: Path, copy: Copy = shutil.copy2) -> Path:
    """Copy photos and bundle to where Kaggle mounts them; returns the folder of all inputs."""
    for source, target in zip((photos, bundle), LAYOUTS[layout], strict=True):
        shutil.copytree(source, root / "input" / target, copy_function=copy)
    return root / "input"


def with_parameters(notebook: Any, **parameters: object) -> Any:
    """Set parameters in a cell after the one that is tagged so, as Papermill does."""
    [place] = [
        i for i, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", ())
    ]
    lines = [f"{name} = {value!r}" for name, value in parameters.items()]
    source = "\n".join(["from pathlib import Path, PosixPath, WindowsPath", *lines])
    notebook.cells.insert(place + 1, v4.new_code_cell(source))  # type: ignore[no-untyped-call]
    return notebook


def execute(root: Path, inputs: Path, limit: int, options: Sequence[str]) -> str:
    """Execute the notebook; returns what its cells print. A cell that fails raises its error."""
    output = root / "working"
    output.mkdir()
    notebook = v4.reads(NOTEBOOK.read_text("utf-8"))  # type: ignore[no-untyped-call]
    with_parameters(notebook, INPUT=inputs, OUTPUT=output, LIMIT=limit, OPTIONS=list(options))
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(output)}})
    client.execute()
    return "".join(
        each.get("text", "")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for each in cell.outputs
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--layout", choices=LAYOUTS, default="current")
    parser.add_argument("--limit", type=int, default=3)
    parser.add_argument("options", nargs="*", help="of monetize run, after --")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        inputs = mount(Path(folder), args.layout, args.photos, args.bundle, os.link)
        print(execute(Path(folder), inputs, args.limit, args.options))
