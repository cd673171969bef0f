"""The page: what it contains, and how it works in a real browser."""

import io
import json
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import click
import pytest
from chromium import Browser
from finished_job import CAPTIONS, FILES, HEADER, PAINTED, SEEDS, STYLE, TAKEN, picture, row
from helpers import Run
from PIL import Image

from monetize.cli import main
from monetize.csv_tables import to_csv


def test_no_caption_can_become_markup(cli: Run, out: Path) -> None:
    cli("gallery", out)
    text = out.with_suffix(".html").read_text("utf-8")
    assert "<img src=x" not in text
    assert "\u2028" not in text
    assert text.count("</script>") == 2


def test_the_page_loads_nothing_outside_its_folder(cli: Run, out: Path) -> None:
    cli("gallery", out)
    text = out.with_suffix(".html").read_text("utf-8")
    assert set(re.findall(r"https?://[^'\"\s]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "default-src &#x27;none&#x27;" in text


# In a browser. Colors show that an image is really there.


def color(browser: Browser, selector: str, across: float) -> tuple[int, ...]:
    """The color of the screen within an element, at a fraction of its width."""
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
        assert near(color(browser, f"li:nth-child({number}) .frame", 0.75), PAINTED)
    for number in range(1, 4):
        assert near(color(browser, f"li:nth-child({number}) .frame", 0.25), TAKEN)
    origins = browser.run(
        "[...document.querySelectorAll('#grid .origin')].map((each) => each.textContent)"
    )
    assert origins == [f"{file} · seed {seed}" for file, seed in zip(FILES, SEEDS, strict=True)]
    choose(browser, "view", "paintings")
    for number in range(1, 5):
        assert near(color(browser, f"li:nth-child({number}) .frame", 0.5), PAINTED)
    alt = browser.run("[...document.images].map((image) => image.alt)")
    assert alt == [f"Painting: {caption}" for caption in CAPTIONS]
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
    assert near(color(browser, "#grid li:last-child .frame", 0.5), PAINTED)


def test_the_photo_appears_under_the_mouse(browser: Browser, page: Path) -> None:
    browser.open(page)
    choose(browser, "view", "paintings")
    browser.mouse("mouseMoved", 60, 200)
    browser.wait("getComputedStyle(document.querySelector('img + img')).opacity === '1'")
    assert near(color(browser, "li .frame", 0.5), TAKEN)
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
    assert near(color(browser, "#pair", 0.4), TAKEN)
    assert near(color(browser, "#pair", 0.6), PAINTED)
    browser.run("document.getElementById('slider').focus()")
    for _ in range(30):
        browser.press("ArrowRight")
    assert near(color(browser, "#pair", 0.6), TAKEN)
    box = browser.run(
        "(({x, y}) => [x, y])(document.getElementById('pair').getBoundingClientRect())"
    )
    browser.mouse("mousePressed", box[0] + 20, box[1] + 100)
    browser.mouse("mouseReleased", box[0] + 20, box[1] + 100)
    assert near(color(browser, "#pair", 0.4), PAINTED)
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


@pytest.mark.parametrize("missing", ["summary", "settings of a timed job"])
def test_no_command_is_shown_where_the_settings_are_not_known(
    browser: Browser, cli: Run, out: Path, missing: str
) -> None:
    summary, table = out.with_suffix(".json"), out.with_suffix(".csv")
    if missing == "summary":
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


def test_the_viewer_shows_what_was_changed_for_a_painting(browser: Browser, page: Path) -> None:
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


def test_names_are_sorted_by_letters_not_by_the_numbers_in_them(
    browser: Browser, cli: Run, out: Path
) -> None:
    files = ["00068bc07f.jpg", "0e13ac97.jpg", "9a.jpg", "100b.jpg"]
    painting = picture(PAINTED)
    with zipfile.ZipFile(out, "w") as archive:
        for file in files:
            archive.writestr(file, painting)
    table = to_csv(HEADER, [row(file, file, 0) for file in files])
    out.with_suffix(".csv").write_bytes(table)
    cli("gallery", out)
    browser.open(out.with_suffix(".html"))
    assert shown_captions(browser) == ["00068bc07f.jpg", "0e13ac97.jpg", "100b.jpg", "9a.jpg"]


NASTY_TEXTS = {
    "substitution": "$(touch made) `touch made`",
    "quotes": """it's "so" '"'; touch made #""",
    "end of line": "a\ntouch made\n",
    "carriage return": "a\rtouch made\r",
    "end of a paste": "a\x1b[201~\ntouch made\n",
    "deleting": "a\x03\x15\x7f\x9b touch made",
    "backslashes": "\\'; touch made; '\\",
    "empty": "",
    "a dash": "--overwrite",
}


@pytest.mark.parametrize("text", NASTY_TEXTS.values(), ids=list(NASTY_TEXTS))
def test_the_command_runs_nothing_else_when_it_is_pasted(
    browser: Browser, cli: Run, out: Path, text: str
) -> None:
    cells = dict(zip(HEADER, row(FILES[3], "", 5), strict=True))
    cells |= {"prompt": text, "settings": f"--palette {shlex.quote(text)}"}
    out.with_suffix(".csv").write_bytes(to_csv(HEADER, [list(cells.values())]))
    summary = json.loads(out.with_suffix(".json").read_text())
    summary["settings"]["paint"]["negative_prompt"] = text
    out.with_suffix(".json").write_text(json.dumps(summary))
    assert cli("gallery", out).exit_code == 0
    browser.open(out.with_suffix(".html"), "#plain.jpg")
    browser.wait("document.getElementById('viewer').open")
    line = browser.run("document.getElementById('command').textContent")
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", line)
    show = shlex.join([sys.executable, "-c", "import json, sys; print(json.dumps(sys.argv[1:]))"])
    command = ["bash", "-c", f'monetize() {{ {show} "$@"; }}\n{line}']
    shown = subprocess.run(
        command, cwd=out.parent, capture_output=True, text=True, check=True
    ).stdout
    arguments = json.loads(shown)
    assert arguments[:3] == ["paint", "--seed", "5"]
    assert arguments[-2:] == ["--", text]
    assert arguments[arguments.index("--palette") + 1] == text
    if text:
        assert arguments[arguments.index("--negative-prompt") + 1] == text
    assert not (out.parent / "made").exists()
