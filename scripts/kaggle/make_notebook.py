"""Write notebook.ipynb from notebook.py, a script in the percent format that Jupytext also reads.

python scripts/kaggle/make_notebook.py
"""

import ast
import json
import re
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("notebook.py")
NOTEBOOK = SOURCE.with_suffix(".ipynb")
# Those of Kaggle tell it what to preselect when the notebook is imported.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
    "kaggle": {
        "accelerator": "nvidiaTeslaT4",
        "isGpuEnabled": True,
        "isInternetEnabled": False,
        "language": "python",
        "sourceType": "notebook",
    },
}


def convert(source: str) -> dict[str, Any]:
    """Return the notebook, without outputs, of a script in the percent format."""
    _, *parts = re.split(r"^# %%(.*)\n", source, flags=re.MULTILINE)
    pairs = zip(parts[::2], parts[1::2], strict=True)
    cells = [_cell(number, marker.strip(), text) for number, (marker, text) in enumerate(pairs, 1)]
    return {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}


def _cell(number: int, marker: str, text: str) -> dict[str, Any]:
    text = text.strip("\n")
    tags = re.fullmatch(r"tags=(.*)", marker)
    cell = {"id": f"cell-{number}", "metadata": {"tags": ast.literal_eval(tags[1])} if tags else {}}
    if marker == "[markdown]":
        text = re.sub(r"^# ?", "", text, flags=re.MULTILINE)
        return {"cell_type": "markdown", **cell, "source": text.splitlines(keepends=True)}
    lines = text.splitlines(keepends=True)
    return {"cell_type": "code", **cell, "execution_count": None, "outputs": [], "source": lines}


def to_text(notebook: dict[str, Any]) -> str:
    """Return the notebook as Jupyter would write it."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    NOTEBOOK.write_text(to_text(convert(SOURCE.read_text("utf-8"))), "utf-8")
