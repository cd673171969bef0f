#!/bin/sh
# Set up, and run the main job on the bundled photos with the small models that come along.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh .
mkdir -p first-run
.venv/bin/monetize run tests/photos first-run/images.zip --overwrite \
    --captioner pocket --model pocket --strength 0.5 --gallery
.venv/bin/python -m zipfile -e first-run/images.zip first-run/paintings
cat <<'END'

Open first-run/images.html in a browser: the paintings beside their photos. The files are in
first-run/paintings; first-run/images.csv says what was painted for which photo. They are by pocket,
the small models that come with monetize. --strength 0.5 starts them from the photos, so that the
composition stays; without it they are painted from noise, by the captions alone. With ViT-GPT2 and Stable Diffusion v1.4 (a download of
5 GB, 3 GB where there is a CUDA GPU; without one a painting takes some minutes):

    .venv/bin/monetize run tests/photos images.zip --captioner vit-gpt2 --model sd-v1-4
END
