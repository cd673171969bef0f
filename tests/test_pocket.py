"""The whole tool with the bundled models, whose pictures show something."""

import io
import json
import zipfile
from pathlib import Path

import helpers
import numpy as np
import pytest
from helpers import BUNDLED_PHOTOS, Run
from PIL import Image

from monetize.captioning.captioner import Captioner
from monetize.checkpoints.layout import CHECKED_PAINTER, PAINTER
from monetize.checkpoints.resolve import POCKET_FOLDER, resolve, resolve_auto
from monetize.errors import CheckpointError
from monetize.images.decoding import open_photo
from monetize.painting.painter import Painter
from monetize.prompts.prompt import Prompt
from monetize.prompts.weights import Weight
from monetize.settings import SCHEDULERS

SUNSET = "a sunset over a body of water"


@pytest.fixture(scope="module")
def painter() -> Painter:
    return Painter.from_pretrained("pocket", device="cpu")


def paint(painter: Painter, prompt: Prompt, count: int) -> np.ndarray:
    """Paintings of the seeds 0, 1 ..., shape (count, 256, 256, 3)."""
    paintings = helpers.paint(painter, [prompt] * count, range(count))
    return np.stack([np.asarray(each.image, dtype=float) for each in paintings])


def warmth(pictures: np.ndarray) -> float:
    return float((pictures[..., 0] - pictures[..., 2]).mean())


def test_it_is_small() -> None:
    size = sum(file.stat().st_size for file in POCKET_FOLDER.rglob("*") if file.is_file())
    assert size <= 40_000_000


def test_its_weights_are_stored_in_half_precision() -> None:
    for file in POCKET_FOLDER.rglob("*.safetensors"):
        length = int.from_bytes(file.read_bytes()[:8], "little")
        header = json.loads(file.read_bytes()[8 : 8 + length])
        header.pop("__metadata__", None)
        assert {tensor["dtype"] for tensor in header.values()} <= {"F16", "I64"}, file


@pytest.mark.parametrize(
    ("photo", "words"),
    [
        ("mountains", {"mountain", "mountains", "hill", "hillside", "rocky", "trail"}),
        ("meadow", {"mountain", "mountains", "field", "grassy", "hillside", "hill"}),
        ("stream", {"river", "stream", "waterfall", "rocks", "forest"}),
        ("sunset", {"sunset", "sun", "sky", "sunrise"}),
        ("beach", {"beach", "sky", "water", "ocean", "cloudy", "bridge"}),
    ],
)
def test_captions_say_what_is_seen(photo: str, words: set[str]) -> None:
    captioner = Captioner.from_pretrained("pocket", device="cpu")
    [caption] = captioner.caption([open_photo(BUNDLED_PHOTOS / f"{photo}.jpg")])
    assert words & set(caption.split()), caption


@pytest.mark.slow
def test_less_sunset_is_less_warm_and_more_day(painter: Painter) -> None:
    one, none, minus = (
        paint(painter, Prompt(SUNSET, (Weight("sunset", value),)), 8) for value in (1, 0, -1)
    )
    assert warmth(one) > warmth(none) + 1
    # Below 0 the dusk goes too, with its dark blues: the model card has the figures.
    assert one.mean() + 5 < none.mean() < minus.mean() - 10


def test_a_sunset_is_warmer_than_water(painter: Painter) -> None:
    sunset = paint(painter, Prompt(SUNSET), 8)
    water = paint(painter, Prompt("a large body of water"), 8)
    assert warmth(sunset) > warmth(water) + 5


@pytest.mark.slow
def test_the_style_phrase_makes_a_lighter_picture(painter: Painter) -> None:
    # Monet's paintings are light all over; photos of sunsets are not.
    painted = paint(painter, Prompt(SUNSET + " in monet style painting"), 8)
    assert painted.mean() > paint(painter, Prompt(SUNSET), 8).mean() + 10


def test_pictures_are_neither_dark_nor_pale(painter: Painter) -> None:
    """Photos and Monets have means of 96 and 126; noise must not be taken for darkness."""
    scenes = ("a mountain range with a sky background", "a large tree in a grassy field")
    for style in ("", " in monet style painting"):
        means = [paint(painter, Prompt(scene + style), 4).mean() for scene in scenes]
        assert 70 < sum(means) / 2 < 160


def test_a_painting_from_a_photo_keeps_its_composition() -> None:
    """Blurred to 8 × 8 pixels, it is closer to its own photo the less strength it has."""
    photos = [BUNDLED_PHOTOS / f"{name}.jpg" for name in ("mountains", "temple", "sunset")]
    small = [np.asarray(open_photo(each).resize((8, 8)), dtype=float) for each in photos]
    nearest, distances = [], []
    for strength in (0.4, 0.9):
        painter = Painter.from_pretrained("pocket", device="cpu", strength=strength)
        requests = [painter.request(Prompt("a view"), 0, each) for each in photos]
        for i, painting in enumerate(painter.paint(requests)):
            blurred = np.asarray(painting.image.resize((8, 8)), dtype=float)
            far = [float(np.abs(blurred - each).mean()) for each in small]
            nearest.append(far.index(min(far)) == i)
            distances.append(far[i])
    assert all(nearest[:3])
    assert sum(distances[:3]) < 0.7 * sum(distances[3:])


def test_a_batch_paints_what_one_at_a_time_does(painter: Painter) -> None:
    together = paint(painter, Prompt(SUNSET), 2)
    alone = np.asarray(helpers.paint(painter, [Prompt(SUNSET)], [1])[0].image, dtype=float)
    assert np.abs(together[1] - alone).max() <= 2  # rounding


@pytest.mark.parametrize(
    "scheduler",
    [
        name if name == "euler-a" else pytest.param(name, marks=pytest.mark.slow)
        for name in SCHEDULERS
        if name != "lcm"
    ],
)
def test_every_scheduler_paints_a_similar_picture(painter: Painter, scheduler: str) -> None:
    steps = 25 if scheduler == "heun" else 50  # of two evaluations
    other = Painter.from_pretrained(
        "pocket", device="cpu", scheduler=scheduler, num_inference_steps=steps
    )
    difference = np.abs(paint(other, Prompt(SUNSET), 1) - paint(painter, Prompt(SUNSET), 1))
    assert difference.mean() < 40  # of 255; two seeds differ by more


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_every_scheduler_takes_few_steps(scheduler: str) -> None:
    painter = Painter.from_pretrained(
        "pocket", device="cpu", scheduler=scheduler, num_inference_steps=2
    )
    steps: list[tuple[int, int]] = []
    helpers.paint(painter, [Prompt(SUNSET)], [0], on_step=lambda *step: steps.append(step))
    evaluations = 3 if scheduler in ("pndm", "heun") else 2
    assert steps[-1] == (evaluations, evaluations), "as speed.passes counts them"


def test_same_seed_same_bytes(cli: Run, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        cli("paint", SUNSET, "--seed", 7, "--model", "pocket", "-o", tmp_path / name, "--steps", 4)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_job_needs_neither_gpu_nor_hub(cli: Run, tmp_path: Path) -> None:
    result = cli(
        "run", BUNDLED_PHOTOS, tmp_path / "out.zip", "--limit", 2, "--device", "cpu", "--offline"
    )
    assert result.exit_code == 0
    assert "Painter: pocket on cpu, float32 (auto: no CUDA device in use" in result.stderr
    assert "--captioner vit-gpt2" in result.stderr
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        images = [Image.open(io.BytesIO(archive.read(name))) for name in archive.namelist()]
    assert [image.size for image in images] == [(256, 256)] * 2
    used = json.loads((tmp_path / "out.json").read_text())
    assert used["painter"]["source"] == used["captioner"]["source"] == "pocket"
    assert used["settings"]["caption"]["captioner"] == "pocket"
    paint_settings = used["settings"]["paint"]
    assert paint_settings["model"] == "pocket"
    assert paint_settings["num_inference_steps"] == 15
    assert paint_settings["guidance_scale"] == 4.0
    assert paint_settings["size"] == 256


def test_auto_is_the_real_one_on_cuda() -> None:
    assert resolve_auto("auto", "--model", "cuda")[0] == "sd-v1-4"
    assert resolve_auto("auto", "--captioner", "cuda")[0] == "vit-gpt2"
    assert "--model pocket" in resolve_auto("auto", "--model", "cuda")[1]
    assert resolve_auto("auto", "--model", "mps")[0] == "pocket"
    assert resolve_auto("sd-v1-3", "--model", "cuda") == ("sd-v1-3", "")


def test_a_folder_of_its_name_is_not_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pocket").mkdir()
    monkeypatch.chdir(tmp_path)
    assert resolve("pocket", PAINTER).folder == POCKET_FOLDER / "painter"


def test_it_has_no_safety_checker_and_says_so() -> None:
    with pytest.raises(CheckpointError, match=r"--model pocket has no .*safety_checker"):
        resolve("pocket", CHECKED_PAINTER)


def test_tokens_are_its_own(cli: Run) -> None:
    text = cli("tokens", "a sunset over a pine tree", "--model", "pocket").stdout
    assert "sunset</w>" in text
    long = cli("tokens", "pine " * 40, "--model", "pocket").stderr
    assert "longer than the 32 tokens that the painter sees" in long


def test_words_that_it_never_learned_are_reported_once(cli: Run, tmp_path: Path) -> None:
    options = ("--model", "pocket", "--steps", 1, "-n", 2, "-o", tmp_path / "a.png")
    said = cli("paint", "a pine in van gogh style", *options).stderr
    assert said.count("pocket does not know 'pine', 'van', 'gogh'") == 1
    known = cli("paint", f"{SUNSET} in monet style painting", *options, "--overwrite").stderr
    assert "does not know" not in known


def test_a_style_that_it_never_learned_is_reported_before_a_job(cli: Run, tmp_path: Path) -> None:
    options = ("--limit", 1, "--steps", 1, "--device", "cpu", "--style", "by turner")
    said = cli("run", BUNDLED_PHOTOS, tmp_path / "out.zip", *options).stderr
    assert "pocket does not know 'turner'" in said


def test_a_size_that_it_never_learned_is_reported(cli: Run, tmp_path: Path) -> None:
    options = ("--model", "pocket", "--steps", 1, "-o", tmp_path / "a.png", "--size")
    assert "it repeats what it paints" in cli("paint", SUNSET, *options, 512).stderr
    assert "repeats" not in cli("paint", SUNSET, *options, 128, "--overwrite").stderr
