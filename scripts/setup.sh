#!/bin/sh
# Create a virtual environment in .venv with monetize and its dependencies.
# The argument is what to install: "." (the default) or ".[dev]".
set -eu
cd "$(dirname "$0")/.."
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "monetize needs Python 3.11 or newer; python3 here is $(python3 --version 2>&1)" >&2
    exit 1
fi
[ -d .venv ] || python3 -m venv .venv
echo "Installing monetize, torch, diffusers and transformers into .venv (a minute or two, once) ..."
.venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --constraint scripts/constraints.txt --editable "${1:-.}"
