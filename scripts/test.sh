#!/bin/sh
# Set up, and run the tests in two processes; further arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh ".[dev]"
exec .venv/bin/python -m pytest --numprocesses 2 --dist worksteal "$@"
