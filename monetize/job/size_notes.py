"""Tells at what sizes a job's paintings are painted and saved, and what is cropped for that."""

from monetize.image_sizes import FIT, pixels_of, shown
from monetize.images.fitting import same_shape
from monetize.messages import counted
from monetize.painting.timesteps import num_steps
from monetize.progress import Reporter
from monetize.settings import PaintSettings, RunSettings


def say_sizes(paint: PaintSettings, run: RunSettings, kind: str, reporter: Reporter) -> None:
    """Say how a job paints with these complete settings; `kind` is "zip" or "folder"."""
    assert paint.size is not None  # the settings are complete
    painted = "in the shapes of the photos"
    if paint.size != FIT:
        painted = f"at {shown(pixels_of(paint.size))} pixels"
    resized = ""
    if run.output_size not in (FIT, paint.size):
        resized = f", resized to {shown(pixels_of(run.output_size))} in the {kind}"
    reporter.say(f"Painting {painted}{resized}")
    if paint.strength is not None:
        reporter.say(
            f"Starting from the photos, with {num_steps(paint)} of "
            f"{counted(paint.num_inference_steps or 0, 'step')}"
        )
    if cropped := _cropped(paint, run):
        reporter.say(
            f"{cropped} of another shape are cropped (--fit pad or squash keeps all of them)"
        )


def _cropped(paint: PaintSettings, run: RunSettings) -> str:
    """What is cropped to fit another shape; empty if nothing is, or if --fit is given."""
    assert paint.size is not None  # the settings are complete
    if paint.fit is not None:
        return ""
    if paint.size == FIT:
        return "" if run.output_size == FIT else "Paintings"
    if run.output_size != FIT and not same_shape(pixels_of(paint.size), pixels_of(run.output_size)):
        return "Paintings"
    return "" if paint.strength is None else "Photos"
