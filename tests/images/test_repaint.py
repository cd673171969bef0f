"""The options that repeat a painting, from its metadata."""

from monetize.images.encoding import parameters
from monetize.images.infotext import Infotext, parse_infotext
from monetize.images.repaint import repaint
from monetize.prompts.prompt import Prompt
from monetize.prompts.weights import Weight
from monetize.settings import PaintSettings

WEB_UI = """a (red:1.2) sun
Negative prompt: people
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 9, Size: 512x768, Model: v1-5, \
Model hash: abc, Clip skip: 2, Denoising strength: 0.7, Hires upscale: 2, Version: v1.9.3"""


def parsed(text: str) -> Infotext:
    infotext = parse_infotext(text)
    assert infotext is not None
    return infotext


def test_all_that_monetize_writes_is_repeated() -> None:
    settings = PaintSettings(
        "sd-v1-4",
        num_inference_steps=20,
        guidance_scale=7.5,
        guidance_end=0.8,
        negative_prompt="people",
        scheduler="lms",
        strength=0.5,
        fit="pad",
        weight_start=0.25,
        palette="monet",
        palette_strength=0.5,
        prompt_syntax="a1111",
    )
    weights = (Weight("pine", -1), Weight("red, sun", 2))
    prompt = Prompt.parse("a (pine:1.2) \\(x\\)", weights, settings.prompt_syntax)
    text = parameters(
        prompt,
        settings,
        seed=7,
        size=(512, 384),
        scheduler="LMSDiscreteScheduler",
        init_image="a, b.jpg",
    )
    like = repaint(parsed(text))
    assert like.prompt == "a (pine:1.2) \\(x\\)"
    assert Prompt.parse(like.prompt, weights, like.options["prompt_syntax"]) == prompt
    assert like.init_image == "a, b.jpg"
    assert like.left_out == ()
    assert like.options == {
        "model": "sd-v1-4", "num_inference_steps": 20, "guidance_scale": 7.5,
        "guidance_start": 0.0, "guidance_end": 0.8, "negative_prompt": "people",
        "scheduler": "lms", "strength": 0.5, "fit": "pad", "size": "512x384", "seed": 7,
        "weight": ["pine=-1", "red, sun=2"], "weight_start": 0.25, "weight_end": 1.0,
        "palette": "monet", "palette_strength": 0.5, "prompt_syntax": "a1111",
    }  # fmt: skip


def test_what_only_the_web_ui_can_do_is_reported() -> None:
    like = repaint(parsed(WEB_UI.replace("\\\n", "")))
    assert like.options == {
        "num_inference_steps": 20, "guidance_scale": 7.0, "seed": 9, "size": "512x768",
        "negative_prompt": "people", "prompt_syntax": "a1111",
    }  # fmt: skip
    assert like.prompt == "a (red:1.2) sun"
    assert like.left_out == (
        "Sampler: DPM++ 2M Karras",
        "Model: v1-5",
        "Clip skip: 2",
        "Hires upscale: 2",
    )


def test_the_web_uis_networks_and_schedules_are_told() -> None:
    like = repaint(
        parsed("a (pine:1.2) <lora:monet:0.8>\nNegative prompt: <lora:x:1> (ugly)\nSteps: 5")
    )
    assert like.prompt == "a (pine:1.2)"
    assert like.options == {
        "num_inference_steps": 5, "prompt_syntax": "a1111", "negative_prompt": "(ugly)",
    }  # fmt: skip
    assert like.left_out == ("<lora:monet:0.8>", "<lora:x:1>")
    scheduled = repaint(parsed("a [pine:elm:0.5]\nSteps: 5"))
    assert scheduled.options == {"num_inference_steps": 5}
    [left_out] = scheduled.left_out
    assert "read as plain text ([pine:elm:0.5] in the prompt is not supported" in left_out


def test_a_prompt_without_markup_stays_plain() -> None:
    assert repaint(parsed("a pine\nSteps: 5")).options == {"num_inference_steps": 5}


def test_values_that_are_damaged_are_left_out() -> None:
    like = repaint(parsed("x\nSteps: many, Seed: 1.5, Size: big, Token weights: pine"))
    assert like.options == {}
    assert len(like.left_out) == 4
