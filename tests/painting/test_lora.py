"""Painting with a LoRA: weights, heat maps, compilation and other processes work as without."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from helpers import Run, Tiny, denoise
from lora_files import kohya, matrices, write_lora

from monetize.adapters import Lora
from monetize.job.outputs import Outputs
from monetize.job.report_reader import read_results
from monetize.painting import spec
from monetize.painting.painter import Painter
from monetize.painting.spec import PainterSpec
from monetize.progress import Reporter
from monetize.prompts.prompt import Prompt
from monetize.prompts.weights import Weight
from monetize.settings import DeviceSettings, PaintSettings

Load = Callable[..., Painter]
PLAIN = Prompt("a pine tree and a red sun")
ONE = Prompt(PLAIN.text, (Weight("pine", 1),))
WEIGHTED = Prompt(PLAIN.text, (Weight("pine", -2),))


@pytest.fixture
def lora(painter_with: Load, tmp_path: Path) -> Path:
    found = matrices(painter_with().pipeline)
    assert any(name.endswith("attn2.to_v") for _, name in found)
    return write_lora(tmp_path / "monet.safetensors", kohya(found))


def test_it_changes_the_painting_and_a_scale_of_0_does_not(painter_with: Load, lora: Path) -> None:
    plain = denoise(painter_with(), [PLAIN], [1])
    with_lora = denoise(painter_with(lora=str(lora)), [PLAIN], [1])
    without = denoise(painter_with(lora=f"{lora}=0"), [PLAIN], [1])
    assert (with_lora - plain).abs().max() > 0.01
    assert torch.equal(without, plain)


def test_weights_act_on_the_changed_values(painter_with: Load, lora: Path) -> None:
    painter = painter_with(lora=str(lora))
    plain = denoise(painter, [PLAIN], [1])
    assert torch.equal(denoise(painter, [ONE], [1]), plain), "1 changes nothing"
    weighted = denoise(painter, [WEIGHTED], [1])
    assert not torch.allclose(weighted, plain, atol=1e-3)
    together = denoise(painter, [PLAIN, WEIGHTED], [1, 1])
    assert torch.allclose(together, torch.cat([plain, weighted]), rtol=0, atol=1e-4)
    [recorded] = painter.start([painter.request(WEIGHTED, 1)], heat=True).result()
    assert recorded.image.tobytes() == painter(PLAIN.text, seed=1, weight="pine=-2").image.tobytes()


@pytest.mark.slow
def test_a_compiled_model_paints_the_same(painter_with: Load, lora: Path) -> None:
    painter = painter_with(lora=str(lora), num_inference_steps=2)
    expected = denoise(painter, [WEIGHTED], [1])
    torch._dynamo.reset()
    painter.compile("eager")
    assert torch.allclose(denoise(painter, [WEIGHTED], [1]), expected, rtol=0, atol=1e-5)
    torch._dynamo.reset()


def test_another_process_loads_it_too(tiny: Tiny, painter_with: Load, lora: Path) -> None:
    settings = PaintSettings(str(tiny.painter), (Lora(str(lora), 0.5),), num_inference_steps=4)
    resolved = PainterSpec.resolve(settings, DeviceSettings(device="cpu"), Reporter())
    assert "monet.safetensors × 0.5" in str(resolved)
    sent = Painter.load(pickle.loads(pickle.dumps(resolved)))
    here = painter_with(lora=[f"{lora}=0.5"])
    assert torch.equal(denoise(sent, [PLAIN], [1]), denoise(here, [PLAIN], [1]))


@pytest.mark.slow
def test_two_processes_write_the_same_bytes_as_one(
    run_job: Run, lora: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the noise of a stochastic scheduler, too."""
    options = ("--lora", f"{lora}=0.5", "--scheduler", "euler-a")
    one, two, plain = (tmp_path / f"{name}.zip" for name in ("one", "two", "plain"))
    assert run_job(photos, one, *options).exit_code == 0
    assert run_job(photos, plain, *options[2:]).exit_code == 0
    monkeypatch.setattr(spec, "every_device", lambda placement: [placement] * 2)
    result = run_job(photos, two, *options)
    assert result.exit_code == 0, result.stderr
    assert "on cpu, float32, 2 of them" in result.stderr
    assert one.read_bytes() == two.read_bytes() != plain.read_bytes()


def test_a_painting_tells_its_loras_and_is_painted_again_with_them(
    cli: Run, tiny: Tiny, lora: Path, tmp_path: Path
) -> None:
    files = [tmp_path / name for name in ("first.png", "again.png", "without.png")]
    options = ("paint", "a lake", "--seed", 1, "--steps", 2, "--model", tiny.painter)
    other = lora.with_name("b.safetensors")
    other.write_bytes(lora.read_bytes())
    first = cli(*options, "--lora", f"{lora}=0.5", "--lora", other, "-o", files[0])
    assert first.exit_code == 0, first.stderr
    cli("paint", "--like", files[0], "-o", files[1])
    cli(*options, "-o", files[2])
    told = cli("info", files[0]).stdout
    assert f"LoRA: {lora}=0.5" in told and f"LoRA 2: {other}=1" in told
    first_bytes, again, without = (file.read_bytes() for file in files)
    assert first_bytes == again != without


def test_a_job_reports_its_loras_and_depends_on_them(
    run_job: Run, lora: Path, photos: Path, tmp_path: Path
) -> None:
    digests = []
    for name, scale in (("one.zip", 0.5), ("other.zip", 0.6)):
        out = Outputs(tmp_path / name)
        result = run_job(photos, out.out, "--limit", 1, "--lora", f"{lora}={scale}")
        assert result.exit_code == 0, result.stderr
        results = read_results(out)
        options = results.paint_options
        assert options is not None and options[options.index("--lora") + 1] == f"{lora}={scale}"
        digests.append(results.summary.painter_digest)
        [described] = json.loads(out.summary.read_text())["loras"]
        assert (described["name"], described["scale"]) == (str(lora), scale)
        assert described["revision"].startswith("sha256:")
    assert digests[0] != digests[1]
