"""Requests → single paintings, as `monetize paint` makes them, in batches that fit."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from monetize.chunks import chunks
from monetize.errors import UsageError
from monetize.image_sizes import FIT, Pixels, shown
from monetize.images.fitting import fit_note
from monetize.images.palettes import PaletteSource
from monetize.messages import counted, printable
from monetize.painting.batch_sizes import chunk_size
from monetize.painting.batching import BatchPainter
from monetize.painting.editing import edited_request
from monetize.painting.init_images import photo_size
from monetize.painting.painting import Painting, recolor
from monetize.painting.request import PaintRequest
from monetize.painting.spec import PainterSpec
from monetize.painting.timesteps import num_steps
from monetize.progress import Reporter, Stage
from monetize.prompts.prompt import Prompt
from monetize.prompts.sweep import Sweep
from monetize.prompts.tokens import weigh_strictly, word_positions
from monetize.settings import EditSettings
from monetize.stores.remote_path import AnyPath


class PromptPainter:
    """Paints single prompts; loads the model only to paint."""

    def __init__(self, spec: PainterSpec, reporter: Reporter) -> None:
        self.spec = spec
        self._reporter = reporter
        self._sizes: dict[AnyPath | None, Pixels] = {}
        palette = spec.settings.palette
        self._palette = PaletteSource.of(palette) if palette else None

    def check(
        self,
        prompts: Sequence[Prompt],
        sweeps: Collection[Sweep] = (),
        *,
        heat: bool = False,
        what: str = "the prompt",
    ) -> None:
        """Warn about what the text encoder's limit cuts off, and about unknown words.

        Raises UsageError for weights without effect, and with `heat` for a model to be compiled
        and for prompts without a word to make a heat map of.
        """
        if heat and self.spec.settings.compile:
            raise UsageError("--heatmap does not work with a compiled model: leave out --compile")
        for prompt in prompts:
            weighted = weigh_strictly(self.spec.tokenizer, prompt, sweeps)
            for warning in weighted.warnings(what, sweeps):
                self._reporter.warn(warning)
            if heat and not word_positions(self.spec.tokenizer, prompt):
                raise UsageError(f"--heatmap: there is no word in {prompt.text!r}: leave it out")
        self.spec.warn_about_words((prompt.text for prompt in prompts), self._reporter)

    def request(self, prompt: Prompt, seed: int, init_image: AnyPath | None = None) -> PaintRequest:
        """Tokenize a prompt; `init_image` is the photo to start from."""
        size = self._size(init_image)
        return PaintRequest.of(self.spec.tokenizer, prompt, seed, init_image, size)

    def edited(self, base: PaintRequest, prompt: Prompt, settings: EditSettings) -> PaintRequest:
        """Tokenize an edited prompt; raises UsageError like `edited_request`."""
        return edited_request(self.spec.tokenizer, base, prompt, settings)

    def say_start(self, photo: AnyPath, size: tuple[int, int]) -> None:
        """Announce how many steps are made from a photo of this size, and how it is fitted."""
        settings = self.spec.settings
        self._reporter.say(
            f"Start: from {printable(photo)}, with {num_steps(settings)} of "
            f"{counted(settings.num_inference_steps or 0, 'step')}"
        )
        painted = self._size(photo)
        if settings.size == FIT:
            self._reporter.say(f"Size: {shown(painted)} pixels, in the shape of the photo")
        elif note := fit_note(size, painted, settings.fit):
            self._reporter.say(f"{printable(photo.name)}: {note}")

    def _size(self, init_image: AnyPath | None) -> Pixels:
        if init_image not in self._sizes:
            fits = init_image is not None and self.spec.settings.size == FIT
            photo = photo_size(init_image) if fits and init_image else None
            self._sizes[init_image] = self.spec.size_for(photo)
        return self._sizes[init_image]

    def paint(
        self, requests: Sequence[PaintRequest], *, heat: bool = False
    ) -> Iterator[tuple[Painting, Painting | None]]:
        """Paint the requests in order; yields each painting with its unweighted version, if any.

        With `heat`, the paintings record where each text position acted, and if any request is
        weighted, all are also painted without their weights,
        once for each that then is the same painting.
        """
        compared = heat and any(request.prompt.is_weighted for request in requests)
        palette = None
        if self._palette is not None:
            palette = self._palette.load(self.spec.settings.palette_strength, self._reporter)
        plain = dict.fromkeys(map(self._without_weights, requests if compared else ()))
        total = len(requests) + len(plain)
        with self._reporter.stage("Painting", total, "painting") as progress:
            progress.step("loading the model")
            painter = BatchPainter.load(
                _uncompiled(self.spec) if heat else self.spec, len(requests), self._reporter
            )
            unweighted = dict[PaintRequest, Painting]()
            for chunk in chunks(requests, chunk_size(self.spec)):
                paintings = recolor(_paint(painter, chunk, progress, heat=heat), palette)
                todo = dict.fromkeys(map(self._without_weights, chunk if compared else ()))
                new = [request for request in todo if request not in unweighted]
                if new:
                    made = recolor(_paint(painter, new, progress, heat=heat), palette)
                    unweighted.update(zip(new, made, strict=True))
                for request, painting in zip(chunk, paintings, strict=True):
                    yield painting, unweighted.get(self._without_weights(request))

    def _without_weights(self, request: PaintRequest) -> PaintRequest:
        prompt = request.prompt.without_weights(self.spec.settings.prompt_syntax)
        return replace(request, prompt=prompt, token_weights=None)

    def paint_edits(self, edits: Sequence[PaintRequest]) -> Iterator[tuple[Painting, Painting]]:
        """Paint edits in order; yields the base's painting and the edited one."""
        with self._reporter.stage("Painting", 2 * len(edits), "painting") as progress:
            progress.step("loading the model")
            painter = BatchPainter.load(_uncompiled(self.spec), 2 * len(edits), self._reporter)
            for chunk in chunks(edits, max(1, chunk_size(self.spec) // 2)):
                requests = [each for request in chunk for each in _with_base(request)]
                paintings = _paint(painter, requests, progress, heat=False)
                yield from zip(paintings[::2], paintings[1::2], strict=True)


def _with_base(request: PaintRequest) -> tuple[PaintRequest, PaintRequest]:
    assert request.edit is not None
    return request.edit.base, request


def _paint(
    painter: BatchPainter, requests: Sequence[PaintRequest], progress: Stage, *, heat: bool
) -> list[Painting]:
    paintings = painter.start(
        requests, on_step=lambda step, of: progress.step(f"step {step}/{of}"), heat=heat
    ).result()
    progress.advance(len(requests))
    return paintings


def _uncompiled(spec: PainterSpec) -> PainterSpec:
    return replace(spec, settings=replace(spec.settings, compile=False))
