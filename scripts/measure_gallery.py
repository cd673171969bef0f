"""Measure a gallery with as many paintings as the contest requires, in a headless Chromium.

    python scripts/measure_gallery.py                       # single-color pictures
    python scripts/measure_gallery.py --photos DATA/photos --captions DATA/captions.csv

Photos serve as their own paintings and are repeated until there are enough; nothing is painted.
"""

import json
import os
import time
import zipfile
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import click
from chromium import Browser, chromium, find_chromium
from PIL import Image

from monetize.captioning.caption_table import read_captions
from monetize.cli.terminal import Terminal
from monetize.csv_tables import to_csv
from monetize.gallery.files import GalleryFiles
from monetize.gallery.gallery import build
from monetize.job.outputs import Outputs
from monetize.job.plan import photo_seed
from monetize.job.report_reader import COLUMNS, read_results

QUERIES = ("tree", "mountain lake", "snow", "zebra")
# Runs before the page's own script: when the first picture of the grid was loaded, then painted.
WATCH = """
document.addEventListener("load", (event) => {
  if (!(event.target instanceof HTMLImageElement) || "firstPicture" in window) return;
  window.firstPicture = null;
  requestAnimationFrame(() => requestAnimationFrame(() => (firstPicture = performance.now())));
}, true);
"""
SEARCH = """
new Promise((done) => {
  const [query, count] = ["query", "count"].map((id) => document.getElementById(id));
  const begun = performance.now();
  new MutationObserver((_, observer) => {
    observer.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(
      () => done([performance.now() - begun, count.textContent])));
  }).observe(count, { childList: true });
  query.value = %s;
  query.dispatchEvent(new Event("input"));
})
"""
SORT = """
(() => {
  const [begun, order] = [performance.now(), document.getElementById("order")];
  order.value = %s;
  order.dispatchEvent(new Event("change"));
  return performance.now() - begun;
})()
"""
# Three screens per second, faster than anyone can look, for two seconds.
SCROLL = """
new Promise((done) => {
  const frames = [];
  const begun = performance.now();
  let before = begun;
  const step = (now) => {
    frames.push(now - before);
    before = now;
    scrollTo(0, ((now - begun) / 1000) * 3 * innerHeight);
    if (now - begun < 2000) requestAnimationFrame(step);
    else done(frames.slice(1).sort((a, b) => a - b));
  };
  requestAnimationFrame(step);
})
"""


@click.command(help=__doc__)
@click.option("--count", default=7038, show_default=True)
@click.option("--photos", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--captions", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--keep", type=click.Path(path_type=Path), help="Folder to leave the gallery in.")
@click.option("--repeats", default=5, show_default=True, help="How often to open the page.")
def main(
    count: int, photos: Path | None, captions: Path | None, keep: Path | None, repeats: int
) -> None:
    """Build a gallery, open it, search, sort and scroll."""
    browser_path = find_chromium()
    if browser_path is None:
        raise click.ClickException("there is no Chromium on this machine: apt install chromium")
    with TemporaryDirectory() as temporary:
        folder = keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        outputs = Outputs(folder / "images.zip")
        texts = read_captions(captions) if captions else {}
        pack(outputs, islice(pictures(folder, photos), count), texts)
        begun = time.monotonic()
        gallery = GalleryFiles(outputs.page)
        build(read_results(outputs), gallery, Terminal(quiet=True), overwrite=True)
        click.echo(f"gallery written: {time.monotonic() - begun:.1f} s, {os.cpu_count()} cores")
        click.echo(f"page: {gallery.page.stat().st_size / 1e6:.2f} MB")
        with chromium(browser_path) as browser:
            click.echo(browser.call("Browser.getVersion")["product"])
            measure(browser, gallery.page, repeats)


def pictures(folder: Path, photos: Path | None) -> Iterator[tuple[Path, str]]:
    """Yield pictures endlessly, repeating them under new names."""
    if photos is None:
        photos = folder / "photos"
        photos.mkdir(exist_ok=True)
        for i in range(64):
            Image.new("RGB", (256, 256), (4 * i, 128, 255 - 4 * i)).save(photos / f"{i:02}.jpg")
    paths = sorted(photos.glob("*.jpg"))
    for number, path in enumerate(cycle(paths)):
        again = number // len(paths)
        yield path, f"{path.stem}-{again + 1}.jpg" if again else path.name


def pack(outputs: Outputs, chosen: Iterator[tuple[Path, str]], captions: dict[str, str]) -> None:
    """Write a zip and its reports, as a job does."""
    rows = []
    with zipfile.ZipFile(outputs.out, "w") as archive:
        for number, (path, name) in enumerate(chosen):
            archive.write(path, name)
            caption = captions.get(path.name, f"a picture of tree number {number} in the snow")
            prompt = f"{caption} in monet style painting"
            rows.append((path.name, name, caption, prompt, photo_seed(0, name), "painted"))
    outputs.table.write_bytes(to_csv(COLUMNS, rows))
    outputs.summary.write_text(json.dumps({"photos": str(path.parent.resolve())}))


def measure(browser: Browser, page: Path, repeats: int) -> None:
    """Print how long a reader waits, and how much memory the page takes."""
    browser.window(1280, 860)
    browser.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
    first = []
    for _ in range(repeats):
        browser.open(page)
        browser.wait("window.firstPicture > 0")
        first.append(browser.run("firstPicture"))
    tell("first picture painted", first, f" of {repeats} openings")
    tell("largest contentful paint", [browser.run(
        "new Promise((done) => new PerformanceObserver((list) => done(list.getEntries().at(-1)"
        ".startTime)).observe({ type: 'largest-contentful-paint', buffered: true }))"
    )])  # fmt: skip
    cost(browser, "at first")
    for query in QUERIES:
        milliseconds, found = browser.run(SEARCH % json.dumps(query))
        click.echo(f"search for {query!r}: {milliseconds:.0f} ms with the wait, {found}")
    browser.run(SEARCH % '""')
    for order in ("caption", "seed", "photo"):
        click.echo(f"sort by {order}: {browser.run(SORT % json.dumps(order)):.0f} ms")
    frames = browser.run(SCROLL)
    late = frames[int(0.95 * len(frames))]
    click.echo(f"scroll: {len(frames)} frames in 2 s, 95% of them within {late:.0f} ms")
    browser.run("scrollTo(0, document.documentElement.scrollHeight)")
    browser.wait(
        "(({ ariaPosInSet, ariaSetSize }) => ariaPosInSet === ariaSetSize)"
        "(document.querySelector('#grid li:last-child'))"
    )
    cost(browser, "at the end")
    click.echo(f"console errors: {len(browser.problems)} {browser.problems[:3] or ''}")
    outside = [url for url in browser.requests if not url.startswith(("file:", "data:", "about:"))]
    click.echo(f"requests: {len(browser.requests)}, of them to the network: {len(outside)}")


def tell(what: str, milliseconds: list[float], of: str = "") -> None:
    """Print a time with its range."""
    low, high = min(milliseconds), max(milliseconds)
    spread = f" ({low:.0f} to {high:.0f}{of})" if len(milliseconds) > 1 else ""
    click.echo(f"{what}: {median(milliseconds):.0f} ms{spread}")


def cost(browser: Browser, when: str) -> None:
    """Print how much the page holds in memory."""
    browser.call("HeapProfiler.collectGarbage")
    metrics = {
        each["name"]: each["value"] for each in browser.call("Performance.getMetrics")["metrics"]
    }
    elements = browser.run("document.getElementsByTagName('*').length")
    click.echo(
        f"{when}: {elements} elements, {metrics['Nodes']:.0f} nodes, "
        f"JavaScript heap {metrics['JSHeapUsedSize'] / 1e6:.1f} MB"
    )


if __name__ == "__main__":
    main()
