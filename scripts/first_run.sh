#!/bin/sh
# Set up, and run the main job on the bundled photos with tiny checkpoints.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh .
TRANSFORMERS_VERBOSITY=error .venv/bin/python scripts/make_tiny_checkpoints.py first-run/checkpoints
.venv/bin/monetize run tests/photos first-run/images.zip --overwrite \
    --captioner first-run/checkpoints/captioner --model first-run/checkpoints/painter
.venv/bin/python -m zipfile -e first-run/images.zip first-run/paintings
cat <<'END'

The paintings lie in first-run/paintings, what was painted for which photo in first-run/images.csv.
They are NOISE, and the captions are random words: the checkpoints of this first run are tiny ones
with random weights, which try out everything but beauty. With the real ones (a download of 5 GB,
3 GB where there is a CUDA GPU; without one a painting takes some minutes):

    .venv/bin/monetize run tests/photos images.zip
END
