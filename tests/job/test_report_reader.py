"""Reports are read back, and whatever they hold gives InputError or safe values."""

import time
import zipfile
from pathlib import Path

import pytest
from finished_job import FILES, HEADER, leave_job, row
from helpers import Run, names

from monetize.csv_tables import to_csv
from monetize.errors import InputError
from monetize.job.outputs import Outputs
from monetize.job.report_reader import read_results


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return leave_job(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("images.csv", None, "images.csv is missing: it has the captions and seeds of "),
        ("images.csv", b"photo,caption\na.jpg,a tree\n", "it has no column file, prompt, seed"),
        ("images.csv", b'photo,file,caption,prompt,seed,status\n"a', "line 2: not valid CSV"),
        ("images.csv", to_csv(HEADER, []), "images.csv: no painting is listed"),
        ("images.csv", to_csv(HEADER, [row("x.jpg", "", 1)]), "names 1 painting not at"),
        ("images.csv", to_csv(HEADER, [("x.jpg", *row("../x.jpg", "", 1)[1:])]), "the root of"),
        ("images.json", b"{", "images.json: cannot be read"),
        ("images.json", b"[]", "images.json: not the report of monetize run"),
        ("images.zip", b"PK", "images.zip: the zip is truncated or damaged"),
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


def with_row(out: Path, **changes: object) -> Outputs:
    """Replace the table by one row with these cells."""
    cells = dict(zip(HEADER, row(FILES[3], "a street", 1), strict=True))
    out.with_suffix(".csv").write_bytes(to_csv(HEADER, [list({**cells, **changes}.values())]))
    return Outputs(out)


@pytest.mark.parametrize(
    "photo", ["../secret.png", "/etc/passwd", "a/../../b.jpg", "..", "", "a\0b.jpg"]
)
def test_a_photo_outside_its_folder_is_refused(out: Path, photo: str) -> None:
    with pytest.raises(InputError, match=r"images\.csv: .* is not below the photos' folder"):
        read_results(with_row(out, photo=photo))


@pytest.mark.parametrize("photo", ["a/b.jpg", "..jpg", "a..b/c.jpg", "-x.jpg", "~/a.jpg"])
def test_odd_names_below_the_folder_are_fine(out: Path, photo: str) -> None:
    [painting] = read_results(with_row(out, photo=photo)).painted
    assert painting.photo == photo


@pytest.mark.parametrize("seed", ["", "x", "-1", "1; touch x", "$(id)", "1.5", "9" * 5000, "٣"])
def test_a_seed_is_a_number(out: Path, seed: str) -> None:
    with pytest.raises(InputError, match=r"images\.csv: .*the seed"):
        read_results(with_row(out, seed=seed))


@pytest.mark.parametrize(
    "settings",
    ["; touch x", "--num-inference-steps", "--overwrite --output x", "'", "--steps 3 x", "$(id) 1"],
)
def test_settings_are_flags_of_paint(out: Path, settings: str) -> None:
    with pytest.raises(InputError, match=r"images\.csv: "):
        read_results(with_row(out, settings=settings))


def test_settings_keep_their_values(out: Path) -> None:
    results = read_results(with_row(out, settings="--num-inference-steps 3 --palette 'a; b'"))
    assert results.painted[0].settings == ("--num-inference-steps", "3", "--palette", "a; b")


@pytest.mark.parametrize(
    ("cell", "weights"),
    [
        ("", ()),
        ('["pine=-1", "red sun=2.5e-07", "@6=-17"]', ("pine=-1", "red sun=2.5e-07", "@6=-17")),
        ('["x=1, y=2", "é=0.5"]', ("x=1, y=2", "é=0.5")),
    ],
)
def test_weights_survive_the_report_as_they_were_given(
    out: Path, cell: str, weights: tuple[str, ...]
) -> None:
    assert read_results(with_row(out, weights=cell)).painted[0].weights == weights


@pytest.mark.parametrize(
    "cell",
    ["pine", "pine=x", "a=1, b", "[1]", "[null]", "[", "[" * 100_000, '["a"]', f"[{'9' * 5000}]"],
)
def test_anything_but_a_list_of_weights_is_refused(out: Path, cell: str) -> None:
    with pytest.raises(InputError, match=r"images\.csv: "):
        read_results(with_row(out, weights=cell))


@pytest.mark.parametrize("cell", ["=" * 130_000, "a=1, " * 26_000 + "b", ", " * 65_000])
def test_weights_are_read_in_linear_time(out: Path, cell: str) -> None:
    begin = time.process_time()
    with pytest.raises(InputError):
        read_results(with_row(out, weights=cell))
    assert time.process_time() - begin < 2
