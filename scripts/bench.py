"""Measure how fast monetize paints, compared with others, and where the time of a job goes.

\b
    python scripts/bench.py painters --arch small            # two cores, under three minutes
    python scripts/bench.py painters --arch sd-v1-4 --dtype float16 --batch-size 16 --images 32
    python scripts/bench.py unet --arch sd-v1-4              # single evaluations; 8 GB, minutes
    python scripts/bench.py kernels --arch sd-v1-4 --batch-size 16
    python scripts/bench.py job --count 500 --count 4000     # whole jobs, with pocket

The models have the exact architecture and random weights, which do not affect the speed.
"""

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import diffusers
import torch
import transformers
from benchmark import measure, peers
from benchmark.job import split
from benchmark.peers import ARCHITECTURES, Peer

from monetize.devices import Placement, place
from monetize.painting.batch_plan import fitting_batch_size
from monetize.painting.batch_sizes import MAX_BATCH_SIZE
from monetize.settings import (
    DTYPES,
    CaptionSettings,
    DeviceSettings,
    PaintSettings,
    RunSettings,
)

TOLERANCE = 1e-4
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
OUTPUT = click.Path(dir_okay=False, path_type=Path)


@click.group(help=__doc__)
def main() -> None:
    """Choose what to measure."""
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()


def _placement(device: str, dtype: str) -> Placement:
    placement = place(DeviceSettings(device=device, dtype=dtype))
    click.echo(f"{placement}, torch {torch.__version__}, {torch.get_num_threads()} threads")
    return placement


def _write(result: object, output: Path | None) -> None:
    if output is not None:
        output.write_text(json.dumps(result, indent=2) + "\n")
        click.echo(f"Written: {output}")


arch_option = click.option(
    "--arch", type=click.Choice(list(ARCHITECTURES)), default="small", show_default=True
)
device_option = click.option("--device", default="auto", show_default=True)
dtype_option = click.option("--dtype", type=click.Choice(DTYPES), default="auto", show_default=True)
output_option = click.option("--output", type=OUTPUT, help="JSON file to write.")


@main.command()
@arch_option
@click.option(
    "--steps",
    type=int,
    help="PNDM evaluates once more.  [default: 50; 10 for small]",
)
@click.option("--images", type=int, help="Pictures per repeat.  [default: 32 on CUDA, else 2]")
@click.option("--batch-size", type=int, help="[default: what monetize chooses, also for b and c]")
@click.option("--repeats", default=5, show_default=True)
@click.option("--peers", "letters", default="abcd", show_default=True, help="Which to measure.")
@click.option(
    "--compile/--no-compile", "compile_", default=None, help="monetize's unet.  [default: on CUDA]"
)
@device_option
@dtype_option
@output_option
@click.option("--plot", type=OUTPUT, help="PNG file to draw.")
def painters(
    arch: str, steps: int | None, images: int | None, batch_size: int | None, repeats: int,
    letters: str, compile_: bool | None, device: str, dtype: str, output: Path | None,
    plot: Path | None,
) -> None:  # fmt: skip
    """Paint the same prompts in four ways, taking turns.

    \b
      a  the loop from the tutorials, one picture at a time
      b  diffusers, batched
      c  b with channels_last and torch.compile
      d  monetize; also with a weight in every prompt, to measure its cost
    """
    placement = _placement(device, dtype)
    on_cuda = placement.device.type == "cuda"
    images = images or (32 if on_cuda else 2)
    architecture = ARCHITECTURES[arch]
    steps = steps or architecture.steps
    settings = PaintSettings(
        num_inference_steps=steps, guidance_scale=7.5, scheduler="pndm", size=architecture.size
    )
    # Timings mean nothing unless the pictures are the same.
    few = PaintSettings(**{**asdict(settings), "num_inference_steps": min(steps, 10)})
    difference = peers.greatest_difference(architecture, placement, few, batch=2)
    click.echo(f"fp32 latents, monetize against the tutorials' loop: within {difference:.1e}")
    if difference > TOLERANCE:
        raise click.ClickException(f"that is more than {TOLERANCE}: timings would mean nothing")
    if compile_ is None:
        compile_ = on_cuda
    painter = peers.our_painter(architecture, placement, settings, compile_=False)
    batch = batch_size or fitting_batch_size(painter, min(MAX_BATCH_SIZE, images))
    if compile_:
        painter.compile()
    theirs = {
        "a": ("tutorial loop", peers.tutorial, 1),
        "b": ("diffusers, batched", peers.batched, batch),
        "c": ("diffusers, batched, compiled", peers.compiled, batch),
    }
    painter.pipeline.to("cpu", silence_dtype_warnings=True)  # until its turn
    chosen = []
    on_cpu = Placement(torch.device("cpu"), placement.dtype)
    for letter, (name, make, size) in theirs.items():
        if letter in letters:
            pipeline = architecture.build(on_cpu)
            chosen.append(Peer(name, make(pipeline, settings), size, pipeline))
    if "d" in letters:
        pipeline = painter.pipeline
        chosen.append(Peer("monetize", peers.ours(painter), batch, pipeline))
        chosen.append(Peer("monetize, weighted", peers.ours(painter, -1.5), batch, pipeline))
    measured = measure.compare(chosen, images, repeats, placement)
    flops = measure.flops_of_a_picture(architecture, settings)
    rate = measure.matrix_rate(placement)
    result = {
        "architecture": arch,
        "placement": str(placement),
        "size": architecture.size,
        "evaluations": steps + 1,
        "images": images,
        "repeats": repeats,
        "compiled": compile_,
        "greatest_difference_fp32": difference,
        "tflop_a_picture": flops / 1e12,
        "matrix_tflop_per_second": rate / 1e12,
        "peak_memory_bytes": measure.peak_memory(),
        "torch": torch.__version__,
        "peers": measured,
    }
    click.echo(f"{flops / 1e12:.3g} TFLOP per picture; matrix products {rate / 1e12:.3g} TFLOP/s")
    click.echo(f"{'':29} batch  pictures/s (range)      to first   of matrix rate  cold    memory")
    for name, row in measured.items():
        low, high = row["range"]
        share = row["images_per_second"] * flops / rate
        memory = row["device_memory_bytes"]
        rates = f"{row['images_per_second']:.3f} ({low:.3f} to {high:.3f})"
        click.echo(
            f"{name:29} {row['batch']:5}  {rates:22}  {row['ratio_to_first']:8.3f}"
            f"  {share:15.1%}  {row['cold_seconds']:4.1f} s"
            f"  {f'{memory / 2**30:.1f} GiB' if memory else ''}"
        )
    _write(result, output)
    if plot is not None:
        from benchmark.plot import draw

        draw(result, plot)
        click.echo(f"Drawn: {plot}")


@main.command()
@arch_option
@click.option("--repeats", default=5, show_default=True)
@device_option
@dtype_option
@output_option
def unet(arch: str, repeats: int, device: str, dtype: str, output: Path | None) -> None:
    """Time single guided evaluations: diffusers' plain unet, and monetize's, weighted or not."""
    placement = _placement(device, dtype)
    result = measure.evaluations(ARCHITECTURES[arch], repeats, placement)
    for name, row in result.items():
        low, high = row["range"]
        click.echo(
            f"{name:20} {row['seconds']:.3f} s ({low:.3f} to {high:.3f}), "
            f"{row['ratio_to_first']:.4f} of the first's"
        )
    _write({"architecture": arch, "placement": str(placement), "evaluations": result}, output)


@main.command()
@arch_option
@click.option("--batch-size", default=1, show_default=True)
@device_option
@dtype_option
def kernels(arch: str, batch_size: int, device: str, dtype: str) -> None:
    """List the kernels that take longest in two steps and in decoding."""
    placement = _placement(device, dtype)
    architecture = ARCHITECTURES[arch]
    settings = PaintSettings(
        num_inference_steps=2, guidance_scale=7.5, scheduler="pndm", size=architecture.size
    )
    painter = peers.our_painter(architecture, placement, settings, compile_=False)
    click.echo(measure.longest_kernels(painter, batch_size))


@main.command()
@click.option("--photos", type=FOLDER, default="tests/photos", show_default=True)
@click.option(
    "--count", "counts", type=int, multiple=True, required=True, help="Photos; repeatable."
)
@click.option("--captioner", default="pocket", show_default=True)
@click.option("--model", default="pocket", show_default=True)
@click.option("--steps", type=int, help="[default: the checkpoint's own]")
@click.option("--batch-size", type=int, help="[default: what monetize chooses]")
@click.option(
    "--threads",
    type=int,
    help="Threads of torch; with 1, the processor time outside the models is reported.",
)
@device_option
@output_option
def job(
    photos: Path, counts: tuple[int, ...], captioner: str, model: str, steps: int | None,
    batch_size: int | None, threads: int | None, device: str, output: Path | None,
) -> None:  # fmt: skip
    """Run whole jobs, each in a process of its own, and split their time."""
    rows = []
    for count in counts:
        with (
            TemporaryDirectory() as folder,
            ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process,
        ):
            settings = RunSettings(
                caption=CaptionSettings(captioner=captioner),
                paint=PaintSettings(model=model, num_inference_steps=steps, batch_size=batch_size),
                device=DeviceSettings(device=device),
            )
            row = process.submit(split, photos, count, Path(folder), settings, threads).result()
        rows.append(row)
        outside = row["processor_ms_a_photo_outside_models"]
        click.echo(
            f"{count} photos: "
            + ", ".join(f"{name} {each:.1f} s" for name, each in row["seconds"].items())
            + f"; processor {row['processor_ms_a_photo']:.1f} ms per photo"
            + ("" if outside is None else f", {outside:.1f} ms of them outside the models")
            + f"; peak memory {row['peak_memory_bytes'] / 2**20:.0f} MiB"
        )
    _write(rows, output)


if __name__ == "__main__":
    main()
