#!/bin/sh
# Set up, and run the main job on the bundled photos with the bundled models.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh .
mkdir -p first-run
.venv/bin/monetize run tests/photos first-run/images.zip --overwrite \
    --captioner pocket --model pocket --strength 0.5 --gallery
.venv/bin/python -m zipfile -e first-run/images.zip first-run/paintings
cat <<'END'

Open first-run/images.html in a browser to compare the paintings with their photos. The files are in
first-run/paintings, and first-run/images.csv lists what was painted for each photo. They are by
pocket, the small bundled models. --strength 0.5 starts from the photos and keeps their composition;
without it, only the captions are painted. With ViT-GPT2 and Stable Diffusion v1.4 (a download of
5 GB, or 3 GB with a CUDA GPU; without one, a painting takes minutes):

    .venv/bin/monetize run tests/photos images.zip --captioner vit-gpt2 --model sd-v1-4
END
