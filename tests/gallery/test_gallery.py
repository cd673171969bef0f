"""The gallery: its files, what is in the way, and the page in a real browser."""

import io
import json
import re
import shlex
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from chromium import Browser, chromium, find_chromium
from helpers import Run, members, names
from PIL import Image

from monetize.cli import main
from monetize.csv_tables import to_csv
from monetize.gallery.gallery import MARK

HEADER = (
    "photo", "file", "caption", "prompt", "seed", "weights", "evaluations", "settings",
    "status", "error",
)  # fmt: skip
STYLE = "in monet style painting"
NASTY = """</script><img src=x onerror="boom()"> & 'it"s' \u2028 {{data}} -- é"""
FILES = ("a #1 50%25.jpg", "b&b+c=d.jpg", "été 木.jpg", "plain.jpg")
CAPTIONS = (NASTY, "a pine tree and a red sun", "Été: the sea", "a street by the sea")
SEEDS = (3, 20, 2**64 - 1, 100)
PAINTED, TAKEN = (200, 40, 40), (40, 60, 200)  # colours of paintings and photos


def picture(colour: tuple[int, int, int], size: tuple[int, int] = (64, 64)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "JPEG")
    return buffer.getvalue()


def row(
    file: str, caption: str, seed: object, weights: str = "", settings: str = ""
) -> tuple[object, ...]:
    return (file, file, caption, f"{caption} {STYLE}", seed, weights, 15, settings, "painted", "")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """What a job leaves: four paintings under difficult names, a photo that could not be read."""
    photos = tmp_path / "photos"
    photos.mkdir()
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for file in FILES:
            archive.writestr(file, picture(PAINTED))
            (photos / file).write_bytes(picture(TAKEN, (90, 60)))
    rows = [row(*each) for each in zip(FILES, CAPTIONS, SEEDS, strict=True)]
    weights = "pine=-1, red sun=2.5e-07, @6=-17"
    rows[1] = row(FILES[1], CAPTIONS[1], 20, weights, "--num-inference-steps 14")
    rows.append(("bad.jpg", *[""] * 7, "unreadable", "empty file"))
    (tmp_path / "images.csv").write_bytes(to_csv(HEADER, rows))
    summary = {
        "photos": str(photos),
        "captioner": {"name": "vit-gpt2"},
        "painter": {"name": "sd-v1-4"},
        "settings": {"paint": {"model": "sd-v1-4", "size": 512, "negative_prompt": "a 'b'"}},
    }
    (tmp_path / "images.json").write_text(json.dumps(summary))
    return tmp_path / "images.zip"


def data(page: Path) -> dict[str, Any]:
    [text] = re.findall(
        r'<script type="application/json" id="data">(.*?)</script>', page.read_text("utf-8")
    )
    content: dict[str, Any] = json.loads(text)
    return content


def entries(page: Path) -> list[dict[str, object]]:
    content = data(page)
    return [dict(zip(content["names"], each, strict=True)) for each in content["rows"]]


def test_a_zip_becomes_a_page_and_a_folder_of_pictures(cli: Run, out: Path) -> None:
    result = cli("gallery", out)
    assert result.exit_code == 0, result.stderr
    page, folder = out.with_suffix(".html"), out.with_suffix(".gallery")
    assert result.stderr.splitlines()[-1] == f"Gallery: {page}"
    assert "Warning" not in result.stderr
    assert names(folder) == {"paintings", "photos", MARK}
    assert names(folder / "paintings") == names(folder / "photos") == set(FILES)
    for file, painting in members(out).items():
        assert (folder / "paintings" / file).read_bytes() == painting
        photo = Image.open(folder / "photos" / file)
        assert (photo.format, photo.size) == ("JPEG", (64, 64))
    shown = entries(page)
    assert [each["file"] for each in shown] == list(FILES)
    assert [each["caption"] for each in shown] == list(CAPTIONS)
    assert shown[2]["seed"] == str(2**64 - 1)
    assert shown[1]["weights"] == ["pine=-1", "red sun=2.5e-07", "@6=-17"]
    assert all(each["has_photo"] for each in shown)
    text = page.read_text("utf-8")
    assert "4 paintings by sd-v1-4; captions by vit-gpt2; 1 photo could not be read" in text


def test_no_caption_can_become_markup(cli: Run, out: Path) -> None:
    cli("gallery", out)
    text = out.with_suffix(".html").read_text("utf-8")
    assert "<img src=x" not in text
    assert "\u2028" not in text
    assert text.count("</script>") == 2


def test_the_page_asks_for_nothing_outside_its_folder(cli: Run, out: Path) -> None:
    cli("gallery", out)
    text = out.with_suffix(".html").read_text("utf-8")
    assert set(re.findall(r"https?://[^'\"\s]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "default-src &#x27;none&#x27;" in text


def test_quiet_says_nothing(cli: Run, out: Path) -> None:
    assert cli("gallery", out, "--quiet").output == ""


def test_output_names_page_and_folder(cli: Run, out: Path, tmp_path: Path) -> None:
    assert cli("gallery", out, "-o", tmp_path / "show it.html").exit_code == 0
    assert len(names(tmp_path / "show it.gallery" / "paintings")) == 4
    assert data(tmp_path / "show it.html")["folder"] == "show%20it.gallery"


def test_photos_that_are_gone_or_damaged_are_left_out_and_told(cli: Run, out: Path) -> None:
    photos = out.parent / "photos"
    (photos / FILES[0]).unlink()
    (photos / FILES[3]).write_bytes(b"")
    result = cli("gallery", out)
    assert result.exit_code == 0
    assert f"Warning: 1 of 4 photos are not in {photos}, and their paintings" in result.stderr
    assert "Warning: 1 of 4 photos cannot be read" in result.stderr
    assert "plain.jpg (empty file)" in result.stderr
    page = out.with_suffix(".html")
    assert [each["has_photo"] for each in entries(page)] == [False, True, True, False]
    assert names(out.with_suffix(".gallery") / "photos") == {FILES[1], FILES[2]}
    assert "2 shown without their photo" in page.read_text("utf-8")


def test_photos_can_be_elsewhere(cli: Run, out: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").rename(tmp_path / "moved")
    result = cli("gallery", out, "--photos", tmp_path / "moved")
    assert "Warning" not in result.stderr
    assert len(names(out.with_suffix(".gallery") / "photos")) == 4


def test_without_the_summary_paintings_are_shown_alone(cli: Run, out: Path) -> None:
    out.with_suffix(".json").unlink()
    result = cli("gallery", out)
    assert result.exit_code == 0
    assert "images.json is missing or names no folder of photos" in result.stderr
    assert not any(each["has_photo"] for each in entries(out.with_suffix(".html")))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("images.csv", None, "images.csv is missing: the captions and seeds of "),
        ("images.csv", b"photo,caption\na.jpg,a tree\n", "it has no column file, prompt, seed"),
        ("images.csv", b'photo,file,caption,prompt,seed,status\n"a', "line 2: not valid CSV"),
        ("images.csv", to_csv(HEADER, []), "images.csv: no row of a painting"),
        ("images.csv", to_csv(HEADER, [row("x.jpg", "", 1)]), "names 1 paintings that are not at"),
        ("images.csv", to_csv(HEADER, [row("../x.jpg", "", 1)]), "the root of"),
        ("images.json", b"{", "images.json: cannot be read"),
        ("images.json", b"[]", "images.json: not the report of monetize run"),
        ("images.zip", b"PK", "images.zip: a zip that is cut short or damaged"),
    ],
)
def test_reports_that_do_not_fit_are_refused(
    cli: Run, out: Path, name: str, content: bytes | None, message: str
) -> None:
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("../x.jpg", b"")
    if content is None:
        out.with_name(name).unlink()
    else:
        out.with_name(name).write_bytes(content)
    result = cli("gallery", out)
    assert result.exit_code == 1
    assert message in result.stderr
    assert names(out.parent) <= {"photos", "images.zip", "images.csv", "images.json"}


def test_a_damaged_painting_leaves_no_gallery(cli: Run, out: Path) -> None:
    out.write_bytes(out.read_bytes().replace(b"JFIF", b"JFIX", 1))
    result = cli("gallery", out)
    assert result.exit_code == 1
    assert "images.zip: damaged: Bad CRC-32" in result.stderr
    assert names(out.parent) == {"photos", "images.zip", "images.csv", "images.json"}


def test_a_gallery_is_replaced_only_by_overwrite(cli: Run, out: Path) -> None:
    cli("gallery", out)
    page, stray = out.with_suffix(".html"), out.with_suffix(".gallery") / "paintings" / "old.jpg"
    stray.write_bytes(b"")
    before = page.read_bytes()
    refused = cli("gallery", out)
    assert refused.exit_code == 2
    assert f"{page} exists. Move it away" in refused.stderr
    assert stray.exists()
    page.write_bytes(b"")
    assert cli("gallery", out, "--overwrite").exit_code == 0
    assert page.read_bytes() == before
    assert not stray.exists()
    assert not {"images.gallery.part", "images.gallery.old"} & names(out.parent)


@pytest.mark.parametrize("ending", ["gallery", "gallery.part", "gallery.old"])
def test_a_folder_of_somebody_else_is_never_replaced(cli: Run, out: Path, ending: str) -> None:
    folder = out.with_suffix(f".{ending}")
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    result = cli("gallery", out, "--overwrite")
    assert result.exit_code == 2
    assert f"{folder} is in the way: it is not the folder of a gallery" in result.stderr
    assert (folder / "mine.txt").read_text() == "mine"


def test_what_a_killed_process_left_is_no_hindrance(cli: Run, out: Path) -> None:
    for ending in (".gallery.part", ".gallery.old"):
        (out.with_suffix(ending) / "photos").mkdir(parents=True)
        (out.with_suffix(ending) / MARK).write_text("")
    assert cli("gallery", out).exit_code == 0
    assert not {"images.gallery.part", "images.gallery.old"} & names(out.parent)


@pytest.mark.parametrize(
    ("output", "message"),
    [("a.txt", "give it a name such as images.html"), ("nowhere/a.html", "there is no folder")],
)
def test_a_page_needs_a_fitting_name(cli: Run, out: Path, output: str, message: str) -> None:
    result = cli("gallery", out, "-o", out.parent / output)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize(
    "where", ["monetize.gallery.pictures.open_photo", "monetize.gallery.gallery.write_bytes"]
)
@pytest.mark.parametrize("replacing", [False, True])
def test_an_interruption_leaves_what_was_there(
    cli: Run, out: Path, monkeypatch: pytest.MonkeyPatch, where: str, replacing: bool
) -> None:
    if replacing:
        cli("gallery", out)
    before = {path: path.is_file() and path.read_bytes() for path in out.parent.rglob("*")}

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(where, interrupt)
    result = cli("gallery", out, "--overwrite")
    assert result.exit_code == 130
    assert {path: path.is_file() and path.read_bytes() for path in out.parent.rglob("*")} == before


# run --gallery


def test_run_makes_the_gallery_when_the_job_is_done(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "a.zip"
    result = run_job(photos, out, "--limit", 2, "--gallery")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.splitlines()[-1] == f"Gallery: {tmp_path / 'a.html'}"
    assert [each["file"] for each in entries(tmp_path / "a.html")] == ["photo0.jpg", "photo1.jpg"]
    assert all(each["has_photo"] for each in entries(tmp_path / "a.html"))
    assert run_job(photos, out, "--limit", 1, "--gallery", "--overwrite").exit_code == 0
    assert len(entries(tmp_path / "a.html")) == 1


def test_run_tells_before_the_work_that_a_page_is_in_the_way(
    run_job: Run, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.html").write_text("mine")
    result = run_job(photos, tmp_path / "a.zip", "--gallery")
    assert result.exit_code == 2
    assert "a.html exists." in result.stderr
    assert names(tmp_path) == {"photos", "a.html"}


def test_a_mended_photo_gets_into_the_gallery(run_job: Run, photos: Path, tmp_path: Path) -> None:
    whole = (photos / "photo1.jpg").read_bytes()
    (photos / "photo1.jpg").write_bytes(b"")
    command = (photos, tmp_path / "a.zip", "--limit", 2, "--gallery")
    assert run_job(*command).exit_code == 3
    assert len(entries(tmp_path / "a.html")) == 1
    (photos / "photo1.jpg").write_bytes(whole)
    (tmp_path / "a.zip").unlink()
    result = run_job(*command)
    assert result.exit_code == 0, result.stderr
    assert len(entries(tmp_path / "a.html")) == 2


def test_a_gallery_that_is_stopped_says_that_the_zip_is_done(
    run_job: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("monetize.gallery.gallery.write_pictures", interrupt)
    out = tmp_path / "a.zip"
    result = run_job(photos, out, "--limit", 1, "--gallery")
    assert result.exit_code == 130
    assert f"Interrupted. {out} is done; monetize gallery {out} makes its page." in result.stderr
    assert names(tmp_path) == {"photos", "a.zip", "a.csv", "a.json"}


# In a browser. ColorStatistics tell that a picture is really there.


@pytest.fixture(scope="module")
def _chromium() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.skip("there is no Chromium on this machine")
    with chromium(path) as browser:
        yield browser


@pytest.fixture
def browser(_chromium: Browser) -> Iterator[Browser]:
    """A browser that must have nothing to complain of, and asks for files alone."""
    _chromium.window(1000, 800)
    yield _chromium
    assert _chromium.problems == []
    assert {url.partition(":")[0] for url in _chromium.requests} <= {"file", "data", "about"}


@pytest.fixture
def page(cli: Run, out: Path) -> Path:
    (out.parent / "photos" / FILES[3]).unlink()
    cli("gallery", out)
    return out.with_suffix(".html")


def colour(browser: Browser, selector: str, across: float) -> tuple[int, ...]:
    """The colour of the screen within an element, at a fraction of its width."""
    browser.wait("[...document.images].every((image) => image.complete)")
    box = browser.run(
        f"(({{x, y, width, height}}) => [x, y, width, height])"
        f"(document.querySelector({selector!r}).getBoundingClientRect())"
    )
    shot = Image.open(io.BytesIO(browser.screenshot())).convert("RGB")
    found = shot.getpixel((int(box[0] + across * box[2]), int(box[1] + 0.75 * box[3])))
    assert isinstance(found, tuple)
    return found


def near(found: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return max(abs(a - b) for a, b in zip(found, wanted, strict=True)) < 12


def shown_captions(browser: Browser) -> list[str]:
    found: list[str] = browser.run(
        "[...document.querySelectorAll('#grid .caption')].map((each) => each.textContent)"
    )
    return found


def choose(browser: Browser, name: str, value: str) -> None:
    browser.run(
        f"{name} = document.getElementById({name!r}); {name}.value = {value!r};"
        f"{name}.dispatchEvent(new Event({name!r} === 'query' ? 'input' : 'change')); 0"
    )


def test_the_grid_shows_every_painting_with_its_words(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert shown_captions(browser) == list(CAPTIONS)
    assert browser.run("document.getElementById('count').textContent") == "4 of 4"
    for number in range(1, 5):
        assert near(colour(browser, f"li:nth-child({number}) .frame", 0.5), PAINTED)
    alt = browser.run("[...document.images].map((image) => image.alt)")
    assert alt == [f"Painting: {caption}" for caption in CAPTIONS]
    choose(browser, "view", "both")
    assert near(colour(browser, "li .frame", 0.25), TAKEN)
    assert near(colour(browser, "li .frame", 0.75), PAINTED)
    choose(browser, "view", "photos")
    assert browser.run("document.querySelector('li:nth-child(4) .frame').textContent") == "no photo"


def test_only_the_cards_in_sight_are_there(browser: Browser, cli: Run, out: Path) -> None:
    files = [f"{number:03}.jpg" for number in range(600)]
    painting = picture(PAINTED)
    with zipfile.ZipFile(out, "w") as archive:
        for file in files:
            archive.writestr(file, painting)
    table = to_csv(HEADER, [row(file, f"number {file[:3]}", 0) for file in files])
    out.with_suffix(".csv").write_bytes(table)
    cli("gallery", out)
    browser.open(out.with_suffix(".html"))
    assert browser.run("document.getElementById('count').textContent") == "600 of 600"
    assert len(shown_captions(browser)) < 60
    browser.run("scrollTo(0, document.documentElement.scrollHeight)")
    browser.wait("document.querySelector('#grid li:last-child').ariaPosInSet === '600'")
    assert shown_captions(browser)[-1] == "number 599"
    assert len(shown_captions(browser)) < 60
    assert near(colour(browser, "#grid li:last-child .frame", 0.5), PAINTED)


def test_the_photo_appears_under_the_mouse(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.mouse("mouseMoved", 60, 200)
    browser.wait("getComputedStyle(document.querySelector('img + img')).opacity === '1'")
    assert near(colour(browser, "li .frame", 0.5), TAKEN)
    browser.mouse("mouseMoved", 0, 0)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("SEA", [2, 3]),
        ("tree", [1]),
        ("ete", [2]),
        ("sun red", [1]),
        ("</script>", [0]),
        ("oak", []),
    ],
)
def test_search_finds_the_beginnings_of_words(
    browser: Browser, page: Path, query: str, found: list[int]
) -> None:
    browser.open(page)
    browser.run("document.getElementById('query').focus()")
    browser.call("Input.insertText", text=query)
    browser.wait(f"document.getElementById('count').textContent === '{len(found)} of 4'")
    assert shown_captions(browser) == [CAPTIONS[index] for index in found]


def test_entries_are_sorted_by_name_caption_or_seed(browser: Browser, page: Path) -> None:
    browser.open(page)
    choose(browser, "order", "seed")
    assert shown_captions(browser) == [CAPTIONS[index] for index in (0, 1, 3, 2)]
    choose(browser, "order", "caption")
    assert shown_captions(browser)[1:] == [CAPTIONS[index] for index in (1, 3, 2)]


def test_the_viewer_lays_the_photo_over_the_painting(browser: Browser, page: Path) -> None:
    browser.open(page)
    for _ in range(20):
        browser.press("Tab")
        if browser.run("document.activeElement.matches('li:first-child a')"):
            break
    browser.run("document.activeElement.click()")
    browser.wait("document.getElementById('viewer').open")
    assert near(colour(browser, "#pair", 0.4), TAKEN)
    assert near(colour(browser, "#pair", 0.6), PAINTED)
    browser.run("document.getElementById('slider').focus()")
    for _ in range(30):
        browser.press("ArrowRight")
    assert near(colour(browser, "#pair", 0.6), TAKEN)
    box = browser.run(
        "(({x, y}) => [x, y])(document.getElementById('pair').getBoundingClientRect())"
    )
    browser.mouse("mousePressed", box[0] + 20, box[1] + 100)
    browser.mouse("mouseReleased", box[0] + 20, box[1] + 100)
    assert near(colour(browser, "#pair", 0.4), PAINTED)
    # After the mouse let go of it the arrows lead on.
    for expected in (1, 2, 3, 3):
        browser.press("ArrowRight")
        assert browser.run("document.getElementById('title').textContent") == CAPTIONS[expected]
    assert browser.run("document.getElementById('pair').className") == "alone"
    browser.press("ArrowLeft")
    browser.press("Escape")
    # The page hears of the closed viewer only after it is closed.
    browser.wait("document.activeElement.parentElement.ariaPosInSet === '3'")
    assert browser.run("document.getElementById('viewer').open") is False
    assert browser.run("location.hash") == ""
    browser.press("ArrowLeft")
    assert browser.run("document.activeElement.parentElement.ariaPosInSet") == "2"


def test_an_address_leads_to_one_painting(browser: Browser, page: Path) -> None:
    for index in (0, 1, 2):
        browser.open(page)
        link = browser.run(f"document.querySelectorAll('#grid a')[{index}].getAttribute('href')")
        browser.open(page, link)
        assert browser.run("document.getElementById('title').textContent") == CAPTIONS[index]
    for fragment in ("#nothing", "#%"):
        browser.open(page, fragment)
        assert browser.run("document.getElementById('viewer').open") is False


def test_the_command_that_the_viewer_shows_is_understood(browser: Browser, page: Path) -> None:
    browser.open(page)
    for index, weights, steps in (
        (0, [], None),
        (1, ["pine=-1", "red sun=2.5e-07", "@6=-17"], 14),
    ):
        link = browser.run(f"document.querySelectorAll('#grid a')[{index}].getAttribute('href')")
        browser.run(f"location.hash = {link!r}")
        browser.wait(f"document.getElementById('place').textContent === '{index + 1} of 4'")
        line = browser.run("document.getElementById('command').textContent")
        _, name, *arguments = shlex.split(line)
        command = main.get_command(click.Context(main), name)
        assert command is not None
        values, _, _ = command.make_parser(click.Context(command)).parse_args(arguments)
        assert values["prompt"] == f"{CAPTIONS[index]} {STYLE}"
        assert list(values.get("weight", [])) == weights
        assert values.get("num_inference_steps") == (str(steps) if steps else None)
        assert values["negative_prompt"] == "a 'b'"
        assert values["size"] == "512"


@pytest.mark.parametrize("lacking", ["summary", "settings of a timed job"])
def test_no_command_is_shown_where_the_settings_are_not_known(
    browser: Browser, cli: Run, out: Path, lacking: str
) -> None:
    summary, table = out.with_suffix(".json"), out.with_suffix(".csv")
    if lacking == "summary":
        summary.unlink()
    else:
        content = json.loads(summary.read_text())
        content["settings"]["run"] = {"time_budget": 60.0}
        summary.write_text(json.dumps(content))
        table.write_text(table.read_text("utf-8").replace(",settings,", ",then,"), "utf-8")
    assert cli("gallery", out).exit_code == 0
    browser.open(out.with_suffix(".html"), "#plain.jpg")
    browser.wait("document.getElementById('viewer').open")
    assert browser.run("document.getElementById('again').checkVisibility()") is False


def test_the_viewer_tells_what_was_changed_for_a_painting(browser: Browser, page: Path) -> None:
    browser.open(page, "#b%26b%2Bc%3Dd.jpg")
    browser.wait("document.getElementById('viewer').open")
    assert "--num-inference-steps 14" in browser.run("document.getElementById('facts').textContent")


def test_a_phone_needs_no_scrolling_sideways(browser: Browser, page: Path) -> None:
    browser.window(360, 740, phone=True)
    for fragment in ("", "#plain.jpg"):
        browser.open(page, fragment)
        assert browser.run("document.documentElement.scrollWidth") == 360
    assert browser.run("document.getElementById('viewer').scrollWidth") == 360


def test_dark_mode_is_dark(browser: Browser, page: Path) -> None:
    browser.window(1000, 800, dark=True)
    browser.open(page)
    ground = browser.run("getComputedStyle(document.body).backgroundColor")
    assert max(map(int, re.findall(r"\d+", ground))) < 50
