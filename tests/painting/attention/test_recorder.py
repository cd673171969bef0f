"""Where words acted and looked: the maps are right, and nothing else changes."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from explicit_attention import ExplicitAttention
from helpers import BUNDLED_PHOTOS, Run, Tiny, denoise, requests
from PIL import Image
from torch.nn.functional import interpolate

from monetize.captioning.captioner import Captioner
from monetize.checkpoints.layout import PAINTER
from monetize.checkpoints.resolve import resolve
from monetize.checkpoints.tokenizer import load_tokenizer
from monetize.painting.attention.recorder import AttentionRecorder, of_words
from monetize.painting.attention.token_weights import TokenWeights
from monetize.painting.painter import Painter
from monetize.painting.painting import Painting
from monetize.prompts.prompt import Prompt
from monetize.prompts.tokens import word_positions
from monetize.prompts.weights import parse_weight
from monetize.sheets.overlay import overlay

Load = Callable[..., Painter]
TEXT = "a pine tree and a red sun"
PLAIN = Prompt(TEXT)


class KeepingAttention(ExplicitAttention):
    """Keeps the maps of cross-attention as DAAM does."""

    def __init__(self, rows: int, size: tuple[int, int]) -> None:
        self.rows, self.size = rows, size
        self.kept: list[torch.Tensor] = []

    def cross(self, probabilities: torch.Tensor, heads: int) -> torch.Tensor:
        pixels, positions = probabilities.shape[1:]
        of_rows = probabilities.view(-1, heads, pixels, positions)[-self.rows :].mean(dim=1)
        shrink = round((self.size[0] * self.size[1] / pixels) ** 0.5)
        height, width = (side // shrink for side in self.size)
        small = of_rows.mT.reshape(-1, positions, height, width)
        self.kept.append(interpolate(small, self.size, mode="bicubic").clamp(min=0))
        return probabilities


def paint(painter: Painter, *prompts: Prompt, seed: int = 3) -> list[Painting]:
    seeds = [seed + i for i in range(len(prompts))]
    return painter.start(requests(painter, prompts, seeds), heat=True).result()


def heat(painting: Painting) -> torch.Tensor:
    assert painting.heat is not None
    return painting.heat


def hooks(painter: Painter) -> int:
    modules = painter.pipeline.unet.modules()
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in modules)


@pytest.mark.parametrize("settings", [{}, {"guidance_scale": 1.0}, {"guidance_end": 0.5}])
def test_the_maps_are_those_of_attention_written_out(
    painter_with: Load, settings: dict[str, float]
) -> None:
    painter = painter_with(**settings)
    prompts = [PLAIN, Prompt("a lake")]
    painted = paint(painter, *prompts)
    explicit = KeepingAttention(len(prompts), (8, 8))
    painter.pipeline.unet.set_attn_processor(explicit)
    denoise(painter, prompts, [3, 4])
    maps = torch.stack(explicit.kept).mean(dim=0)
    assert maps.shape == (2, 77, 8, 8)
    for painting, theirs in zip(painted, maps, strict=True):
        assert torch.allclose(heat(painting), theirs, rtol=0, atol=1e-5)
    assert heat(painted[0]).sum(dim=0).mean() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("slicing", [False, True])
def test_the_picture_is_the_same_to_the_bit_and_no_hook_stays(
    painter_with: Load, slicing: bool
) -> None:
    painter = painter_with()
    if slicing:
        painter.pipeline.enable_attention_slicing()
    prompt = Prompt(TEXT, (parse_weight("pine=-2"),))
    before = hooks(painter)
    plain = painter.paint(requests(painter, [prompt], [3]))[0]
    recorded = paint(painter, prompt)[0]
    assert plain.image.tobytes() == recorded.image.tobytes()
    assert plain.heat is None
    assert hooks(painter) == before


def test_hooks_are_removed_when_painting_fails(
    painter_with: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = painter_with()
    before = hooks(painter)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        painter.start(requests(painter, [PLAIN], [3]), on_step=fail, heat=True)
    assert hooks(painter) == before


@torch.inference_mode()
def test_what_acts_is_weight_times_attention(painter_with: Load) -> None:
    """On one evaluation of the unet's first layer, which no weight has changed yet."""
    unet = painter_with().pipeline.unet
    generator = torch.Generator().manual_seed(0)
    text = torch.randn(2, 77, 32, generator=generator)
    # Odd and not square: the layers round up.
    noise = torch.randn(2, 4, 7, 10, generator=generator)
    weighting = TokenWeights(unet)
    attention = unet.down_blocks[0].attentions[0].transformer_blocks[0].attn2

    def record(*values: float) -> torch.Tensor:
        weighting.factors = torch.ones(2, 77, 1)
        weighting.factors[1, 1 : 1 + len(values), 0] = torch.tensor(values)
        with AttentionRecorder(unet, weighting, 1, (7, 10)) as recorder:
            states = torch.randn(2, 70, 16, generator=torch.Generator().manual_seed(1))
            attention(states, encoder_hidden_states=text)
        one_layer = recorder.maps()
        with AttentionRecorder(unet, weighting, 1, (7, 10)) as recorder:
            unet(noise, 10, encoder_hidden_states=text)
        assert recorder.maps().shape == (1, 77, 7, 10)
        return one_layer[0]

    plain, weighted = record(), record(2, 0, -1)
    assert torch.equal(weighted[1], 2 * plain[1])
    assert torch.equal(weighted[2], torch.zeros(7, 10))
    assert torch.equal(weighted[3], -plain[3])
    assert torch.equal(weighted[4:], plain[4:])


def test_a_muted_word_acts_nowhere_but_on_the_steps_without_weights(painter_with: Load) -> None:
    muted = Prompt(TEXT, (parse_weight("pine=0"),))
    assert heat(paint(painter_with(), muted)[0])[2].abs().max() == 0
    late = heat(paint(painter_with(weight_start=0.5), muted)[0])
    whole = heat(paint(painter_with(), PLAIN)[0])
    assert 0 < late[2].max() < whole[2].max()


def test_a_words_map_is_the_mean_of_its_pieces(tiny: Tiny) -> None:
    tokenizer = load_tokenizer(resolve(str(tiny.painter), PAINTER))
    prompt = Prompt("Pine, monetize a pine", (parse_weight("@0=2"), parse_weight("@3=2")))
    positions = word_positions(tokenizer, prompt)
    assert positions == {"Pine": (1, 6), "monetize": (3, 4), "a": (5,), "@0": (0,)}
    maps = torch.arange(77.0)[:, None, None].expand(77, 2, 2)
    means = {word: float(map_[0, 0]) for word, map_ in of_words(maps, positions).items()}
    assert means == {"Pine": 3.5, "monetize": 3.5, "a": 5, "@0": 0}
    assert word_positions(tokenizer, Prompt("pine " * 80 + "sun")) == {"pine": tuple(range(1, 76))}


def test_colours_tell_the_sign_and_nothing_is_shown_of_nothing() -> None:
    picture = Image.new("RGB", (40, 20), "gray")
    heat = torch.tensor([[1.0, 0.0, -1.0]])
    laid = overlay(picture, heat, 1)
    assert laid.size == picture.size
    left, middle, right = (laid.getpixel((x, 10)) for x in (2, 20, 37))
    assert isinstance(left, tuple) and isinstance(right, tuple) and isinstance(middle, tuple)
    assert left[0] > 2 * left[2]
    assert right[2] > 2 * right[0]
    nothing = overlay(picture, torch.zeros(2, 2), 0)
    [(count, grey)] = nothing.getcolors() or []
    assert isinstance(grey, tuple)
    assert (count, len(set(grey))) == (800, 1)
    assert max(abs(one - other) for one, other in zip(middle, grey, strict=True)) <= 2


# captions


def test_captions_are_the_same_and_every_word_has_a_map(captioner: Captioner, photos: Path) -> None:
    images = [Image.open(path) for path in sorted(photos.iterdir())]
    before = captioner.model.decoder.config._attn_implementation
    captions = captioner.caption(images)
    looks = captioner.caption_with_attention(images)
    assert captioner.model.decoder.config._attn_implementation == before == "sdpa"
    assert [look.caption for look in looks] == captions == captioner.caption(images)
    for look in looks:
        assert [word for word, _ in look.words] == look.caption.split()
        for _, where in look.words:
            assert where.shape == (4, 4)
            assert where.min() >= 0
            assert where.sum() <= 1 + 1e-5
    assert captioner.caption_with_attention([]) == []


@torch.inference_mode()
def test_a_word_looks_from_where_it_is_said(captioner: Captioner, photos: Path) -> None:
    """The first word's map, by hand: before it the decoder has seen its start token only."""
    image = Image.open(next(photos.iterdir()))
    [look] = captioner.caption_with_attention([image])
    model = captioner.model
    model.set_attn_implementation("eager")
    pixels = captioner.image_processor(images=image, return_tensors="pt")["pixel_values"]
    start = torch.tensor([[model.config.decoder_start_token_id]])
    attentions = model(pixels, decoder_input_ids=start, output_attentions=True).cross_attentions
    by_hand = torch.stack([each[0, :, 0, 1:].mean(dim=0) for each in attentions]).mean(dim=0)
    assert torch.allclose(look.words[0][1].flatten(), by_hand, rtol=0, atol=1e-5)


def test_a_word_of_several_pieces_looks_where_they_do(captioner: Captioner) -> None:
    tokens = captioner.tokenizer(" a photomap").input_ids
    assert len(tokens) > 3
    maps = torch.arange(float(len(tokens)))[:, None, None].expand(-1, 2, 2)
    end = captioner.tokenizer.eos_token_id
    look = captioner._attend("a photomap", [end, *tokens], maps)
    first = captioner.tokenizer(" a").input_ids
    rest = torch.arange(float(len(first)), len(tokens)).mean()
    assert [word for word, _ in look.words] == ["a", "photomap"]
    assert float(look.words[1][1][0, 0]) == float(rest)


# the commands


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.mark.usefixtures("here")
def test_paint_writes_the_same_file_and_a_sheet(cli: Run, tiny: Tiny) -> None:
    command = ("paint", TEXT, "--model", tiny.painter, "--steps", 2, "--seed", 7, "-n", 2)
    weights = ("-w", "pine=-1", "-w", "@0=2")
    cli(*command, *weights, "-o", "plain.png")
    result = cli(*command, *weights, "-o", "a.png", "--heatmap", "heat.jpg")
    assert result.stdout.split() == ["a-1.png", "heat-1.jpg", "a-2.png", "heat-2.jpg"]
    for i in (1, 2):
        assert Path(f"a-{i}.png").read_bytes() == Path(f"plain-{i}.png").read_bytes()
        assert Image.open(f"heat-{i}.jpg").format == "JPEG"
    without = cli(*command, "-o", "b.png", "--heatmap", "one.png")
    assert without.exit_code == 0, without.stderr
    assert Image.open("one-1.png").width < Image.open("heat-1.jpg").width
    assert "Sheet: heat maps" in Image.open("one-1.png").info["parameters"]


@pytest.mark.usefixtures("here")
def test_paint_refuses_sheets_that_cannot_be_written(cli: Run, tiny: Tiny) -> None:
    Path("a.png").write_text("mine")
    command = ("paint", TEXT, "--model", tiny.painter, "--steps", 1)
    for arguments, message in (
        (("--heatmap", "a.png"), "--heatmap: a.png exists; --overwrite replaces it"),
        (("--heatmap", "a.gif"), "--heatmap a.gif: unsupported image format; use one of"),
        (("--heatmap", "b.png", "-o", "b.png"), "--output and --heatmap would both write"),
        (("--heatmap", "b.png", "--compile"), "--heatmap does not work with a compiled model"),
        (("--heatmap", "b.png", "-n", 101), "sheets for 100 paintings at most, not 101"),
    ):
        refused = cli(*command, *arguments)
        assert refused.exit_code == 2
        assert message in refused.stderr
    wordless = cli("paint", "🌲", "--model", tiny.painter, "--heatmap", "b.png")
    assert wordless.exit_code == 2
    assert "--heatmap: there is no word in '🌲'" in wordless.stderr
    assert [path.name for path in Path().iterdir()] == ["a.png"]


@pytest.mark.usefixtures("here")
def test_a_name_that_is_chosen_is_not_that_of_a_sheet(cli: Run, tiny: Tiny) -> None:
    command = ("paint", "h", "--model", tiny.painter, "--steps", 1, "--seed", 1, "-n", 2)
    result = cli(*command, "--heatmap", "h.png")
    assert result.stdout.split() == ["h-1-2.png", "h-1.png", "h-2-2.png", "h-2.png"]


@pytest.mark.usefixtures("here")
def test_caption_writes_sheets_beside_the_same_captions(cli: Run, tiny: Tiny, photos: Path) -> None:
    (photos / "photo1.jpg").write_bytes(b"")
    command = ("caption", photos, "--captioner", tiny.captioner, "--caption-batch-size", 2)
    plain = cli(*command)
    result = cli(*command, "--heatmap", "h.png")
    assert result.stdout == plain.stdout
    assert result.exit_code == 3
    assert "Heat maps: h-1.png to h-6.png" in result.stderr
    assert sorted(path.name for path in Path().iterdir()) == [f"h-{i}.png" for i in (1, 3, 4, 5, 6)]
    again = cli(*command, "--heatmap", "h.png")
    assert again.exit_code == 2
    assert "--heatmap: h-1.png, h-3.png, h-4.png and 2 more exists" in again.stderr
    both = cli(*command, "--heatmap", "h.png", "-o", "h-1.png", "--overwrite")
    assert "--output and --heatmap would both write h-1.png" in both.stderr


def test_pocket_looks_at_the_flower_for_its_flower() -> None:
    captioner = Captioner.from_pretrained("pocket", device="cpu")
    with Image.open(BUNDLED_PHOTOS / "flower.jpg") as photo:
        [attention] = captioner.caption_with_attention([photo.convert("RGB")])
    where = dict(attention.words)["flower"]
    # The flower fills the middle of the photo, a quarter of which would get a quarter.
    assert where[2:6, 2:6].sum() / where.sum() > 0.35
