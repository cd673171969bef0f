# %% [markdown]
# # Photos into Monets, with monetize
#
# Writes `images.zip` for the contest
# [I'm Something of a Painter Myself](https://www.kaggle.com/competitions/gan-getting-started),
# within its five hours and without internet: ViT-GPT2 captions each photo, and Stable Diffusion
# v1.4 paints the caption.
#
# **Once, on a computer with internet,** in a checkout of monetize:
# `python scripts/kaggle/bundle.py --owner YOUR-KAGGLE-NAME` makes a folder, and prints the command
# that uploads it as a dataset.
#
# **Here, in the panel on the right:**
#
# 1. *Add Input → Competitions*: "I'm Something of a Painter Myself", whose rules you must have
#    accepted (on its page: *Join Competition*).
# 2. *Add Input → Datasets → Your Datasets*: "monetize bundle".
# 3. *Session options → Accelerator*: **GPU T4 x2**. P100 does not work: the torch of Kaggle's image
#    has no kernels for it.
# 4. *Session options → Internet*: off.
#
# **Then** *Save Version → Save & Run All (Commit) → Save*. When that is done, open the version from
# *View all versions*, and there *Output → images.zip → Submit*.
#
# To see first whether everything works, set `LIMIT = 20` below and choose *Run All*: that takes a
# few minutes, and makes a zip that is not an entry.

# %% tags=["parameters"]
import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STARTED = time.time()  # everything from here on counts
INPUT = Path("/kaggle/input")
OUTPUT = Path("/kaggle/working")
# The contest allows five hours. The rest is for what this notebook does not see, such as the start
# of the machine and the saving of its output, and for the gallery.
TIME_BUDGET = "4h40m"
NO_GALLERY_AFTER = 4.75 * 3600  # seconds from the start
LIMIT: int | None = None  # or the number of photos to paint, for a trial
OPTIONS: list[str] = []  # others of `monetize run`, such as ["--weight", "people=0"]

# %% [markdown]
# ## Find the inputs
#
# Kaggle has mounted inputs under different paths over time, so they are searched for.


# %%
def find(name: str) -> Path:
    """Return the first file or folder of this name in INPUT."""
    found = sorted(INPUT.rglob(name))
    if not found:
        inputs = ", ".join(str(path) for path in sorted(INPUT.glob("*"))) or "nothing"
        raise FileNotFoundError(f"{INPUT} has {inputs}, but no {name}: is the input attached?")
    return found[0]


PHOTOS = find("photo_jpg")
BUNDLE = find("photos_to_monet-*.whl").parent.parent
print(f"Python {platform.python_version()}\nPhotos: {PHOTOS}\nBundle: {BUNDLE}")
for line in (BUNDLE / "SHA256SUMS").read_text().splitlines():
    digest, name = line.split("  ", 1)
    with (BUNDLE / name).open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != digest:
            raise ValueError(f"{BUNDLE / name} is damaged: upload the bundle again")
print("Every file of the bundle is intact.")

# %% [markdown]
# ## Install
#
# From the wheels of the bundle; torch and the rest are those of the image. A new version of the
# bundle may hold a wheel of the same version, hence `--force-reinstall`.


# %%
def run(module: str, *arguments: object, accept: tuple[int, ...] = (0,)) -> None:
    """Run a Python module as a command, and show what it prints."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
    if process.returncode not in accept:
        raise subprocess.CalledProcessError(process.returncode, command)


# %%
wheels = sorted((BUNDLE / "wheels").glob("*.whl"))
run("pip", "install", "--no-index", "--no-deps", "--force-reinstall", *wheels)

# %% [markdown]
# ## What there is to paint on
#
# Two lines that say *Tesla T4 … works* are expected. This fails if the card does not compute.

# %%
run("monetize", "devices")

# %% [markdown]
# ## Paint
#
# With as many steps as fit the time, on both GPUs, in Monet's colors. Exit code 3 means that some
# photos could not be read, and that the others are done.

# %%
limit = [] if LIMIT is None else ["--limit", LIMIT]
run(
    *("monetize", "run", PHOTOS, OUTPUT / "images.zip", "--offline"),
    *("--captioner", BUNDLE / "captioner", "--model", BUNDLE / "painter"),
    *("--time-budget", TIME_BUDGET, "--since", int(STARTED), "--palette", "monet"),
    *(*limit, *OPTIONS),
    accept=(0, 3),
)

# %% [markdown]
# ## Would the contest accept it?
#
# With `LIMIT` there are too few images; everything else must be right.

# %%
run("monetize", "check", OUTPUT / "images.zip", accept=(0,) if LIMIT is None else (0, 1))

# %% [markdown]
# ## A gallery
#
# `gallery.zip` holds a page to browse the paintings: download it, unpack it, open `images.html`.

# %%
if time.time() - STARTED > NO_GALLERY_AFTER:
    print("No gallery is made, as the five hours are nearly over.")
else:
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "images.html"
        run("monetize", "gallery", OUTPUT / "images.zip", "--photos", PHOTOS, "-o", page)
        shutil.make_archive(str(OUTPUT / "gallery"), "zip", folder)
for path in sorted(OUTPUT.glob("*")):
    print(f"{path.stat().st_size:>13,}  {path}")
print(f"{(time.time() - STARTED) / 60:.0f} minutes")
