"""BLIP, BLIP-2, GIT and Florence-2, tiny and with random weights."""

from pathlib import Path

import pytest
import torch
import transformers
from helpers import Run, Tiny, rows
from make_tiny_captioners import MAKERS
from PIL import Image

from monetize.captioning.captioner import Captioner
from monetize.captioning.image_text import ImageTextCaptioner
from monetize.errors import CheckpointError, UsageError

CLASSES = {
    "blip": ("BlipForConditionalGeneration", "BlipProcessor"),
    "blip-2": ("Blip2ForConditionalGeneration", "Blip2Processor"),
    "git": ("GitForCausalLM", "GitProcessor"),
    "florence2": ("Florence2ForConditionalGeneration", "Florence2Processor"),
}
kinds = pytest.mark.parametrize("kind", MAKERS)


@pytest.fixture
def images(photos: Path) -> list[Image.Image]:
    return [Image.open(path).convert("RGB") for path in sorted(photos.iterdir())]


def load(folder: Path, caption_prompt: str = "") -> Captioner:
    return Captioner.from_pretrained(str(folder), device="cpu", caption_prompt=caption_prompt)


@kinds
def test_captions_are_those_of_transformers_own_example(
    image_text: dict[str, Path], images: list[Image.Image], kind: str
) -> None:
    captioner = load(image_text[kind])
    assert isinstance(captioner, ImageTextCaptioner)
    model, processor = (getattr(transformers, name) for name in CLASSES[kind])
    own_model = model.from_pretrained(image_text[kind]).eval()
    own_processor = processor.from_pretrained(image_text[kind])
    text = "<CAPTION>" if kind == "florence2" else None
    for image in images[:2]:
        inputs = own_processor(images=image, text=text, return_tensors="pt")
        with torch.inference_mode():
            tokens = own_model.generate(**inputs, num_beams=4, max_new_tokens=16, do_sample=False)
        [expected] = own_processor.batch_decode(tokens, skip_special_tokens=True)
        assert captioner.caption([image]) == [" ".join(expected.split())]


@kinds
def test_a_batch_captions_each_photo_as_if_it_were_alone(
    image_text: dict[str, Path], images: list[Image.Image], kind: str
) -> None:
    captioner = load(image_text[kind])
    together = captioner.caption(images)
    assert together == [captioner.caption([image])[0] for image in images]
    assert len(set(together)) > 1
    assert captioner.caption([]) == []
    assert captioner(images[0]) == together[0]


@pytest.mark.parametrize("kind", ["blip", "git"])
def test_a_caption_continues_its_prompt(
    image_text: dict[str, Path], images: list[Image.Image], kind: str
) -> None:
    captions = load(image_text[kind], caption_prompt="a tree in").caption(images)
    assert all(caption.startswith("a tree in") for caption in captions)
    assert any(caption != "a tree in" for caption in captions)


@pytest.mark.parametrize(
    ("kind", "prompt"), [("blip-2", "a tree in"), ("florence2", "<MORE_DETAILED_CAPTION>")]
)
def test_a_prompt_changes_what_is_said(
    image_text: dict[str, Path], images: list[Image.Image], kind: str, prompt: str
) -> None:
    plain, asked = (load(image_text[kind], caption_prompt=each) for each in ("", prompt))
    assert plain.caption(images) != asked.caption(images)


def test_a_task_with_other_words_is_refused(image_text: dict[str, Path]) -> None:
    with pytest.raises(UsageError, match="--caption-prompt '<CAPTION> please': Task token <CAPTI"):
        load(image_text["florence2"], caption_prompt="<CAPTION> please")


def test_a_captioner_without_a_prompt_refuses_one(tiny: Tiny) -> None:
    with pytest.raises(UsageError, match="takes no prompt; BLIP, BLIP-2, GIT and Florence-2 do"):
        load(tiny.captioner, caption_prompt="a photograph of")


def test_blip_has_a_map_of_every_word_and_the_same_captions(
    image_text: dict[str, Path], images: list[Image.Image]
) -> None:
    captioner = load(image_text["blip"])
    looks = captioner.caption_with_attention(images)
    assert [look.caption for look in looks] == captioner.caption(images)
    for look in looks:
        assert [word for word, _ in look.words] == look.caption.split()
        for _, where in look.words:
            assert where.shape == (4, 4)
            assert where.min() >= 0
            assert where.sum() <= 1 + 1e-5
    alone = captioner.caption_with_attention(images[:1])[0]
    assert torch.allclose(alone.words[0][1], looks[0].words[0][1], atol=1e-5)
    assert not torch.allclose(looks[0].words[0][1], looks[1].words[0][1], atol=1e-3)
    assert captioner.caption_with_attention([]) == []


@pytest.mark.parametrize("kind", ["blip-2", "git", "florence2"])
def test_heat_maps_are_refused_with_the_reason(
    image_text: dict[str, Path], images: list[Image.Image], kind: str
) -> None:
    with pytest.raises(CheckpointError, match=r"--heatmap: .* has no heat maps, because .*vit"):
        load(image_text[kind]).caption_with_attention(images)


@kinds
def test_a_job_captions_and_paints(
    cli: Run, tiny: Tiny, image_text: dict[str, Path], photos: Path, tmp_path: Path, kind: str
) -> None:
    preset = tmp_path / "preset.toml"
    prompt = "<DETAILED_CAPTION>" if kind == "florence2" else "a tree in"
    preset.write_text(f"[caption]\ncaption_prompt = '{prompt}'\n")
    command = ("run", photos, tmp_path / "a.zip", "--limit", 2, "--steps", 1, "--config", preset)
    made = cli(*command, "--model", tiny.painter, "--captioner", image_text[kind])
    assert made.exit_code == 0, made.stderr
    captions = load(image_text[kind], caption_prompt=prompt).caption(
        Image.open(path) for path in sorted(photos.iterdir())[:2]
    )
    assert [row["caption"] for row in rows(tmp_path / "a.csv")] == captions
    changed = cli(*command, "--model", tiny.painter, "--captioner", tiny.captioner, "--update")
    assert changed.exit_code == 2
    assert "takes no prompt" in changed.stderr
